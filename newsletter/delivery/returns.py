"""What comes back settles a message: it bounced, or its server had taken it after all."""

from __future__ import annotations

from django.db.models.functions import Coalesce

from newsletter.delivery import clock, ledger
from newsletter.delivery.replies import UNCERTAIN
from newsletter.models import Delivery, Dispatch, Notice

State = Dispatch.State
EVIDENCE = {State.BOUNCED: ledger.CAME_BACK, State.SENT: ledger.ARRIVED}


def settle(dispatch: Delivery | Notice, state: Dispatch.State) -> bool:
    """Move a message on what is known about it from elsewhere.

    One that was sent may have bounced. One that is in doubt, whether it waits for another try or is held, becomes
    what the evidence says, instead of being sent again. One in flight keeps the evidence until its lane has heard
    the reply, or has ended.

    Args:
        dispatch: locked by the transaction of the caller.
        state: `bounced`, or `sent` when a server is known to have taken it.

    Returns:
        Whether anything changed.
    """
    row = type(dispatch).objects.filter(pk=dispatch.pk)
    sent_at = Coalesce("sent_at", clock.moment())
    if dispatch.state == State.IN_FLIGHT:
        return row.exclude(reason=ledger.CAME_BACK).update(reason=EVIDENCE[state], sent_at=sent_at) == 1
    if not (_in_doubt(dispatch) or (dispatch.state == State.SENT and state == State.BOUNCED)):
        return False
    forgotten = {"address": "", "message": None} if isinstance(dispatch, Notice) else {}
    return row.update(state=state, reason="", sent_at=sent_at, **forgotten) == 1


def _in_doubt(dispatch: Delivery | Notice) -> bool:
    if dispatch.state == State.QUEUED:
        return dispatch.uncertain_attempts > 0
    return dispatch.state == State.FAILED and dispatch.reason == UNCERTAIN
