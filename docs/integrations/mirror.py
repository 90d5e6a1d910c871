"""Mirror complaints into the cases of a CRM: follow the feed, read each complaint, write its case.

    COMPLAINTS_URL=… COMPLAINTS_KEY=… CRM_URL=… CRM_TOKEN=… python mirror.py salesforce.toml cursor.txt [--follow]

The key needs the role `agent`; it is the key of `take_over.py` too. Without --follow the script ends at the end of the
feed. A case is written again after a crash, never left out. An unmapped value ends the script with exit code 2.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import httpx2
from complaints_api import Json, KeptCursor, open_client, own_actor, read_feed, wait_for_news
from crm_map import CrmMap, Unmapped


def write_salesforce(crm: httpx2.Client, chart: CrmMap, number: str, case: Json) -> None:
    """Create or change the case with this number in its external id. 300 means that two cases have it."""
    path = chart.path.format(key=chart.key, number=number)
    check_answer("Salesforce", number, crm.patch(path, json=case))


def write_servicenow(crm: httpx2.Client, chart: CrmMap, number: str, case: Json) -> None:
    """Create or change the case whose key field has this number."""
    query = {"sysparm_query": f"{chart.key}={number}", "sysparm_fields": "sys_id", "sysparm_limit": "2"}
    found = crm.get(chart.path, params=query).raise_for_status().json()["result"]
    if len(found) > 1:
        raise SystemExit(f"ServiceNow has several cases of {number}.")
    if found:
        answer = crm.patch(f"{chart.path}/{found[0]['sys_id']}", json=case)
    else:
        answer = crm.post(chart.path, json={**case, chart.key: number})
    check_answer("ServiceNow", number, answer)


def check_answer(system: str, number: str, answer: httpx2.Response) -> None:
    """Raises SystemExit with the answer of the CRM if it refused the case."""
    if answer.status_code not in (200, 201, 204):
        raise SystemExit(f"{system} refused the case of {number}: {answer.status_code} {answer.text}")


WRITERS: dict[str, Callable[[httpx2.Client, CrmMap, str, Json], None]] = {
    "salesforce": write_salesforce,
    "servicenow": write_servicenow,
}


def mirror(client: httpx2.Client, crm: httpx2.Client, chart: CrmMap, cursor: KeptCursor) -> int:
    """Write the cases of all complaints with new events that others caused. Returns how many were written."""
    write, own, written = WRITERS[chart.system], own_actor(client), 0
    for events in read_feed(client, cursor):
        changed = {one["number"]: one["complaint_id"] for one in events if one["actor"] != own}
        for number, complaint_id in changed.items():
            if complaint_id is not None:
                complaint = client.get(f"/v1/complaints/{complaint_id}").raise_for_status().json()
                write(crm, chart, number, chart.case_of(complaint))
                written += 1
    return written


def main(arguments: list[str]) -> int:
    """Run the script; its exit code."""
    chart, cursor = CrmMap.read(Path(arguments[0])), KeptCursor(Path(arguments[1]))
    token = {"Authorization": f"Bearer {os.environ['CRM_TOKEN']}"}
    with open_client() as client, httpx2.Client(base_url=os.environ["CRM_URL"], headers=token) as crm:
        try:
            print(f"{mirror(client, crm, chart, cursor)} cases written")
            while "--follow" in arguments:
                wait_for_news(client, cursor)
                mirror(client, crm, chart, cursor)
        except Unmapped as refusal:
            print(f"Stopped: {refusal}", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
