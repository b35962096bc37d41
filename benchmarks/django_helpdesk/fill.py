"""Tables, one public queue, and tickets with a history for django-helpdesk; prints the queue's id and the pages' paths.

Run by the Python of ``build/django_helpdesk``, never by ours.
"""

import json
import sys

import django
from django.core.management import call_command

django.setup()
call_command("migrate", verbosity=0)

from helpdesk.models import FollowUp, Queue, Ticket  # noqa: E402  (only after Django is set up)

queue = Queue.objects.create(
    title="Repairs", slug="repairs", allow_public_submission=True, email_address="service@example.com"
)
paths = []
for number in range(int(sys.argv[1])):
    email = f"reader{number}@example.com"
    ticket = Ticket.objects.create(
        queue=queue, title="It does not cool", description="The air conditioner does not cool.", submitter_email=email
    )
    for step in range(int(sys.argv[2])):
        comment = f"Step {step}: the capacitor is replaced"
        written = FollowUp.objects.create(ticket=ticket, title="Comment", comment=comment, public=True)
        if step == 0:
            written.ticketchange_set.create(field="Status", old_value="Open", new_value="Reopened")
    paths.append(f"/view/?ticket={ticket.ticket_for_url}&email={email}&key={ticket.secret_key}")
print(json.dumps({"queue": queue.id, "paths": paths}))
