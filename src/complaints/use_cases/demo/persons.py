"""The complainants of the demo, and the posts that they cause. Nobody of them can be a real person."""

from complaints.domain.vocabulary import Channel, ContactChannel
from complaints.use_cases.access import Caller
from complaints.use_cases.commands.complaints import CreateComplaint
from complaints.use_cases.complaints.intake_checks import IntakeRequest
from complaints.use_cases.demo.arrivals import Arrival
from complaints.use_cases.demo.scene import Scene
from complaints.use_cases.demo.staff import program

_SURNAMES = "王李张刘陈杨黄周徐孙马高"
_STEMS = "甲乙丙丁戊己庚辛壬癸"
_FIRST_NAMES = ("Alex", "Jo", "Kim", "Lee", "Robin", "Sam", "Chris", "Pat")
_LAST_NAMES = ("Example", "Sample", "Specimen", "Placeholder")
_PROGRAMS = {
    Channel.APP: "app", Channel.WEB: "web", Channel.EMAIL: "online", Channel.SMS: "online", Channel.SOCIAL: "online",
}  # fmt: skip
_SERVICES = {"network": "broadband", "provisioning": "broadband", "device": "broadband"}
_UNASSIGNED = "+8612"  # mobile numbers of China begin with 13 to 19; behind 12 are short codes such as 12345


def write_post(scene: Scene, arrival: Arrival, number: int) -> IntakeRequest:
    """The post of a complaint. Agents write down what comes by phone, in a shop, by letter or from the regulator."""
    subject, description = scene.wording.describe(arrival.language, arrival.category)
    caller = _find_poster(scene, arrival)
    is_program = caller.login is None
    command = CreateComplaint.model_validate(
        {
            "channel": arrival.channel,
            "subject": subject,
            "description": description,
            "external_id": f"{caller.source.upper()}-{number:06d}" if is_program else None,
            "category": arrival.category,
            "severity": arrival.severity,
            "region": arrival.region,
            "complainant": _complainant(arrival),
            "service": {
                "type": _SERVICES.get(arrival.category.partition(".")[0], "mobile"),
                "id": phone_of(arrival.customer),
            },
            "received_at": arrival.at,
        }
    )
    return IntakeRequest(caller, command)


def phone_of(customer: int) -> str:
    """A phone number that no operator gives to anybody."""
    return f"{_UNASSIGNED}{customer:09d}"


def _find_poster(scene: Scene, arrival: Arrival) -> Caller:
    if (source := _PROGRAMS.get(arrival.channel)) is not None:
        return program(source)
    return scene.staff.caller(scene.staff.choose_member("customer_service", arrival.at, scene.random))


def _complainant(arrival: Arrival) -> dict[str, object]:
    number = arrival.customer
    if arrival.language == "zh":
        name = f"{_SURNAMES[number % len(_SURNAMES)]}某{_STEMS[number // len(_SURNAMES) % len(_STEMS)]}"
    else:
        last = _LAST_NAMES[number // len(_FIRST_NAMES) % len(_LAST_NAMES)]
        name = f"{_FIRST_NAMES[number % len(_FIRST_NAMES)]} {last}"
    return {
        "name": name,
        "phone": phone_of(number),
        "email": f"customer{number:06d}@example.com",  # a domain that nobody can have (RFC 2606)
        "account_no": f"DEMO-{number:08d}",
        "preferred_contact": ContactChannel.PHONE,
        "language": "zh-CN" if arrival.language == "zh" else "en",
        "vulnerable": arrival.vulnerable,
    }
