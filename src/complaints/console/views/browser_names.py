"""The name of a browser and its system, from the name that it gives itself in `User-Agent`."""

_BROWSERS = {"Edg": "Edge", "OPR": "Opera", "Firefox": "Firefox", "Chrome": "Chrome", "Safari": "Safari"}
_SYSTEMS = {
    "Windows": "Windows",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Mac OS X": "macOS",
    "Android": "Android",
    "Linux": "Linux",
}


def name_browser(agent: str) -> str:
    """Such as `Firefox · Windows`. A program that is no known browser keeps its own name."""
    browser = next((name for sign, name in _BROWSERS.items() if sign in agent), None)
    if browser is None:
        return agent
    system = next((name for sign, name in _SYSTEMS.items() if sign in agent), None)
    return f"{browser} · {system}" if system else browser
