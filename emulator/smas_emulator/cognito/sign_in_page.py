"""The pages of the local sign-in: plain HTML, no script, nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from smas_emulator.cognito.answers import PageAnswer

if TYPE_CHECKING:
    from smas_emulator.cognito.authorization_endpoint import AuthorizationRequest

_STYLE = """
:root { color-scheme: light dark; --page: #f2f4f7; --card: #fff; --text: #16202e; --quiet: #55606e;
  --line: #8a94a3; --accent: #1d5fbf; --on-accent: #fff; --fault: #a3160f; --fault-back: #fdeceb; }
@media (prefers-color-scheme: dark) { :root { --page: #10151c; --card: #1a212b; --text: #e8edf3;
  --quiet: #a3aebb; --line: #6d7886; --accent: #7db2ff; --on-accent: #0b1420; --fault: #ffb4ad;
  --fault-back: #41191a; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem 1rem;
  background: var(--page); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; }
main { width: 100%; max-width: 24rem; padding: 2rem; background: var(--card); border-radius: 12px;
  box-shadow: 0 1px 2px rgb(0 0 0 / .12), 0 8px 24px rgb(0 0 0 / .08); }
h1 { margin: 0 0 .5rem; font-size: 1.5rem; line-height: 1.25; }
p { margin: 0 0 1.25rem; color: var(--quiet); overflow-wrap: anywhere; }
label { display: block; margin: 0 0 .25rem; font-weight: 600; }
input { width: 100%; margin: 0 0 1.25rem; padding: .625rem .75rem; font: inherit; color: inherit;
  background: transparent; border: 1px solid var(--line); border-radius: 8px; }
button { width: 100%; padding: .75rem; font: inherit; font-weight: 600; color: var(--on-accent);
  background: var(--accent); border: 0; border-radius: 8px; cursor: pointer; }
button:hover { filter: brightness(1.08); }
input:focus-visible, button:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
input[aria-invalid] { border-color: var(--fault); }
[role=alert] { padding: .625rem .75rem; color: var(--fault); background: var(--fault-back);
  border-radius: 8px; }
footer { margin-top: 1.5rem; font-size: .875rem; color: var(--quiet); }
code { font-size: .9em; overflow-wrap: anywhere; }
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_FOOTER = "Local Amazon Cognito, on this machine"


def login_page(
    asked: AuthorizationRequest,
    *,
    form_token: str,
    cookies: tuple[str, ...],
    fault: str | None = None,
    username: str = "",
    status: int = 200,
) -> PageAnswer:
    """The form for name and password; with a `fault` the name stays, and the password is asked for again."""
    marked = ' aria-invalid="true" aria-describedby="fault"' if fault else ""
    # The cursor stands where something is missing.
    at_name, at_password = ("", " autofocus") if fault and username else (" autofocus", "")
    return _page(
        status,
        "Sign in",
        f"""<p>to continue to {_destination(asked)}</p>
{_alert(fault)}{_form_start(asked, form_token)}
<label for="username">User name</label>
<input id="username" name="username" value="{escape(username)}" autocomplete="username" autocapitalize="none"
 spellcheck="false" maxlength="128" required{marked}{at_name}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" maxlength="256"
 required{marked}{at_password}>
<button>Sign in</button>
</form>""",
        targets=_form_targets(asked.redirect_uri),
        cookies=cookies,
    )


def new_password_page(
    asked: AuthorizationRequest,
    *,
    challenge: str,
    form_token: str,
    cookies: tuple[str, ...],
    fault: str | None = None,
) -> PageAnswer:
    """The form for a password of one's own, in place of a temporary one."""
    marked = ' aria-invalid="true" aria-describedby="fault"' if fault else ""
    field = f'type="password" autocomplete="new-password" maxlength="256" required{marked}'
    return _page(
        400 if fault else 200,
        "Choose a new password",
        f"""<p>Your password is a temporary one. Please choose your own.</p>
{_alert(fault)}{_form_start(asked, form_token)}
<input type="hidden" name="challenge" value="{escape(challenge)}">
<label for="new_password">New password</label>
<input id="new_password" name="new_password" {field} autofocus>
<label for="repeated_password">New password, again</label>
<input id="repeated_password" name="repeated_password" {field}>
<button>Set password and sign in</button>
</form>""",
        targets=_form_targets(asked.redirect_uri),
        cookies=cookies,
    )


def code_page(
    asked: AuthorizationRequest,
    *,
    challenge: str,
    form_token: str,
    cookies: tuple[str, ...],
    new_secret: str | None,
) -> PageAnswer:
    """The form for a code of an authenticator app; with `new_secret`, of one to be set up now."""
    told = (
        f"""<p>Add this key to an authenticator app, and give the code that it shows. The key is shown until
the first code was right.</p>
<p><code id="secret">{escape(new_secret)}</code></p>"""
        if new_secret
        else "<p>Give the code that your authenticator app shows.</p>"
    )
    return _page(
        200,
        "One-time code",
        f"""{told}
{_form_start(asked, form_token)}
<input type="hidden" name="challenge" value="{escape(challenge)}">
<label for="code">Code</label>
<input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="6"
 required autofocus>
<button>Sign in</button>
</form>""",
        targets=_form_targets(asked.redirect_uri),
        cookies=cookies,
    )


def error_page(status: int, error: str, explanation: str) -> PageAnswer:
    """What is wrong with the request that led here; there is nowhere to go back to."""
    return _page(
        status,
        "This sign-in can't go on",
        f"""<p role="alert">{escape(explanation)}</p>
<p><code>{escape(error)}</code></p>
<p>Go back to the app you came from, or tell whoever runs it.</p>""",
    )


def _page(
    status: int,
    title: str,
    content: str,
    *,
    targets: str = "'none'",
    cookies: tuple[str, ...] = (),
) -> PageAnswer:
    return PageAnswer(
        status,
        f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>{escape(title)}</h1>
{content}
<footer>{_FOOTER}</footer>
</main>
</body>
</html>
""",
        policy=(
            f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action {targets}; "
            "base-uri 'none'; frame-ancestors 'none'"
        ),
        cookies=cookies,
    )


def _form_start(asked: AuthorizationRequest, form_token: str) -> str:
    return f"""<form method="post" action="/login?{escape(asked.query)}">
<input type="hidden" name="_csrf" value="{escape(form_token)}">"""


def _alert(fault: str | None) -> str:
    return f'<p id="fault" role="alert">{escape(fault)}</p>\n' if fault else ""


def _destination(asked: AuthorizationRequest) -> str:
    parts = urlsplit(asked.redirect_uri)
    place = parts.netloc or f"{parts.scheme}:"
    if not asked.client.name:
        return f"<strong>{escape(place)}</strong>"
    return f"<strong>{escape(asked.client.name)}</strong> at {escape(place)}"


def _form_targets(redirect_uri: str) -> str:
    """Where the form may lead: browsers hold the redirect that answers it against `form-action` too."""
    parts = urlsplit(redirect_uri)
    # An address in brackets is no host-source of CSP (https://www.w3.org/TR/CSP3/#grammardef-host-part).
    if parts.scheme in {"http", "https"} and "[" not in parts.netloc:
        return f"'self' {parts.scheme}://{parts.netloc}"
    return f"'self' {parts.scheme}:"
