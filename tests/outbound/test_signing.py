"""Signatures of Standard Webhooks: the published vector, and what the library verifies."""

from datetime import UTC, datetime

from standardwebhooks import Webhook as Verifier

from complaints.outbound.signing import make_secret, sign


def test_the_signature_is_that_of_the_vector_of_standard_webhooks() -> None:
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = sign(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
        at=at,
        secrets_in_use=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_a_new_secret_signs_what_the_library_verifies() -> None:
    secret, now = make_secret(), datetime.now(UTC)  # noqa: TID251 - the library compares with the real time
    headers = sign("m", '{"x": "ö"}'.encode(), at=now, secrets_in_use=[make_secret(), secret])
    assert Verifier(secret).verify('{"x": "ö"}', dict(headers)) == {"x": "ö"}
