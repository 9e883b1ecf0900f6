"""The Reminders group, and the plain pages behind the links in mails.

A GET changes nothing: mail scanners follow every link.
"""

from html import escape
from typing import Final

from aiohttp import web

from services.session.reminders.schemas import (
    LinkQuery,
    ReminderStatusResponse,
    SubscribedResponse,
    SubscribeRequest,
    UnsubscribedResponse,
)
from services.session.reminders.service import ReminderService
from shared.http import ANONYMOUS, BEARER, READ, WRITE, Reply, Request, Routes
from shared.http.pages import PAGE_HEADERS

routes = Routes("Reminders")

_HEADERS = {
    **PAGE_HEADERS,
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
}

REMINDERS: Final = web.AppKey("reminders", ReminderService)


@routes.post("/rooms/{id}/reminders", access=BEARER, scope=WRITE, status=201, mirrored=True, idempotent=True)
async def subscribe_to_reminders(request: Request, body: SubscribeRequest) -> Reply[SubscribedResponse]:
    """Subscribe to room reminders.

    By e-mail to the account's address. An account without one gives it in `email` (409 otherwise) and must
    confirm it first: `subscribed` is false until then. Subscribing again changes nothing.
    """
    service, room_id = request.service(REMINDERS), request.path_id()
    return Reply(await service.subscribe(room_id, request.caller, request.library_id, body.email))


@routes.delete("/rooms/{id}/reminders", access=BEARER, scope=WRITE, mirrored=True)
async def unsubscribe_from_reminders(request: Request) -> Reply[UnsubscribedResponse]:
    """Unsubscribe from room reminders.

    Also 200 if there was no subscription.
    """
    await request.service(REMINDERS).unsubscribe(request.path_id(), request.caller, request.library_id)
    return Reply(UnsubscribedResponse(subscribed=False))


@routes.get("/rooms/{id}/reminders/my", access=BEARER, scope=READ, mirrored=True)
async def get_my_reminders(request: Request) -> Reply[ReminderStatusResponse]:
    """Get my reminder subscription status.

    `created_at` is null without a subscription. `subscribed` false with a time: waiting for confirmation.
    """
    service = request.service(REMINDERS)
    return Reply(await service.mine(request.path_id(), request.caller, request.library_id))


@routes.get("/rooms/{id}/reminders/confirm", access=ANONYMOUS)
async def ask_to_confirm(request: Request, query: LinkQuery) -> web.StreamResponse:
    """Show the page that confirms an address."""
    request.service(REMINDERS).check_confirm(request.path_id(), query.recipient, query.token)
    return _question_page("Do you want reminders of this room's sessions by e-mail?", "Yes, send them")


@routes.post("/rooms/{id}/reminders/confirm", access=ANONYMOUS)
async def confirm(request: Request, query: LinkQuery) -> web.StreamResponse:
    """Confirm an address."""
    confirmed = await request.service(REMINDERS).confirm(request.path_id(), query.recipient, query.token)
    if confirmed:
        return _answer_page("Thank you: you will get reminders of this room's sessions.")
    return _answer_page("This confirmation is no longer needed. Subscribe again to get reminders.")


@routes.get("/rooms/{id}/reminders/unsubscribe", access=ANONYMOUS)
async def ask_to_unsubscribe(request: Request, query: LinkQuery) -> web.StreamResponse:
    """Show the page that ends a subscription."""
    request.service(REMINDERS).check_leave(request.path_id(), query.recipient, query.token)
    return _question_page("No more reminders of this room's sessions?", "Unsubscribe")


@routes.post("/rooms/{id}/reminders/unsubscribe", access=ANONYMOUS)
async def unsubscribe(request: Request, query: LinkQuery) -> web.StreamResponse:
    """End a subscription with one click (RFC 8058)."""
    await request.service(REMINDERS).leave(request.path_id(), query.recipient, query.token)
    return _answer_page("You will get no more reminders of this room's sessions.")


def _question_page(words: str, button: str) -> web.Response:
    """A button that posts to the page's own address."""
    return _page(words, f'<form method="post"><button>{escape(button)}</button></form>')


def _answer_page(words: str) -> web.Response:
    return _page(words, "")


def _page(words: str, more: str) -> web.Response:
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Reminders</title>'
        '<meta name="viewport" content="width=device-width"></head>'
        '<body style="font-family:sans-serif;max-width:36em;margin:4em auto;padding:0 1em">'
        f"<h1>Reminders</h1><p>{escape(words)}</p>{more}</body></html>\n"
    )
    return web.Response(text=text, content_type="text/html", charset="utf-8", headers=_HEADERS)
