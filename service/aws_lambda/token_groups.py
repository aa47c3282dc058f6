"""Which groups a token names: the user pool's own, or what the groups of an identity provider mean here.

Cognito calls it before it makes a token, with version V2_0 of the event, and puts what it answers into
``cognito:groups`` of both tokens. If it fails, nobody gets a token.
https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from service.aws_lambda.invocation import UnknownEvent
from service.domain.access import parse_grant
from service.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.aws_lambda.invocation import Context, InvocationIds

log = logging.getLogger(__name__)

SETTING: Final = "SMAS_PROVIDER_GROUPS"
# Where the pool keeps what a provider said of a person's groups (infra/cognito.tf).
GROUPS_ATTRIBUTE: Final = "custom:groups"
# With it an access token may change its person's attributes: what a provider said of them, too.
SELF_SERVICE_SCOPE: Final = "aws.cognito.signin.user.admin"
_FEDERATED: Final = "EXTERNAL_PROVIDER"

# By provider, then by its group: our roles, written as groups are (``approver@fraud``).
Mapped: TypeAlias = "Mapping[str, Mapping[str, tuple[str, ...]]]"


def provider_groups(environ: Mapping[str, str]) -> Mapped:
    """What the providers' groups mean. Raises ``SettingsError`` if the setting is missing or wrong."""
    try:
        mapped = msgspec.json.decode(environ[SETTING], type=dict[str, dict[str, tuple[str, ...]]])
    except KeyError:
        message = f"{SETTING} is missing"
        raise SettingsError(message) from None
    except msgspec.MsgspecError as error:
        message = f"{SETTING} must be roles by group by provider, as JSON: {error}"
        raise SettingsError(message) from error
    roles = {role for groups in mapped.values() for each in groups.values() for role in each}
    unknown = sorted(role for role in roles if parse_grant(role) is None)
    if unknown:
        message = f"{SETTING} names what is no role: {', '.join(unknown)}"
        raise SettingsError(message)
    return mapped


class _Identity(msgspec.Struct):
    provider: str = msgspec.field(name="providerName")


class Person(msgspec.Struct, frozen=True):
    """Whom a token is made for, as Cognito knows them.

    ``providers`` are those they can sign in by; ``said`` is what a provider said of their groups, None if
    it said nothing; ``pool_groups`` are theirs in the pool.
    """

    federated: bool
    providers: tuple[str, ...]
    said: str | None
    pool_groups: tuple[str, ...]


def person(request: Mapping[str, Any]) -> Person:
    """The person of an event's ``request``. Raises ``UnknownEvent`` if it is none."""
    try:
        attributes = msgspec.convert(request["userAttributes"], dict[str, str])
        groups = msgspec.convert(
            (request.get("groupConfiguration") or {}).get("groupsToOverride") or [], tuple[str, ...]
        )
        identities = msgspec.json.decode(attributes.get("identities") or "[]", type=list[_Identity])
    except (KeyError, AttributeError, msgspec.MsgspecError) as error:
        raise UnknownEvent("the event does not say whom the token is for") from error
    return Person(
        federated=attributes.get("cognito:user_status") == _FEDERATED,
        providers=tuple(each.provider for each in identities),
        said=attributes.get(GROUPS_ATTRIBUTE),
        pool_groups=groups,
    )


def groups_of(person: Person, mapped: Mapped) -> tuple[str, ...]:
    """The groups that a token of theirs names, in alphabetical order.

    A person of the pool has the pool's groups, and what their attributes say is of no meaning. A person of
    one provider has what its groups are mapped to, and nothing else: not what the provider called them, nor
    what somebody put them into in the pool, so that who leaves there has left here. Whoever is both or comes
    by several providers has none, because nobody could tell which of them said what.
    """
    if not person.federated and not person.providers:
        return tuple(sorted(set(person.pool_groups)))
    if not person.federated or len(person.providers) != 1:
        return ()
    meant = mapped.get(person.providers[0], {})
    return tuple(sorted({role for name in listed(person.said or "") for role in meant.get(name, ())}))


def listed(said: str) -> tuple[str, ...]:
    """The names in an attribute that Cognito made of one value or of several.

    Attributes of the pool are texts. A list is one as JSON, or as names between brackets or not, with commas
    between them, depending on the provider. Names are taken as they are: what is written in another way than
    it was configured in means nothing.
    """
    text = said.strip()
    try:
        return tuple(msgspec.json.decode(text, type=list[str]))
    except msgspec.MsgspecError:
        inside = text[1:-1] if text.startswith("[") and text.endswith("]") else text
        return tuple(name for each in inside.split(",") if (name := each.strip()))


class TokenGroupsFunction:
    """The trigger as a Lambda function. It keeps nothing, and asks nobody."""

    def __init__(self, mapped: Mapped, ids: InvocationIds) -> None:
        self._mapped = mapped
        self._ids = ids

    def __call__(self, event: dict[str, Any], context: Context) -> dict[str, Any]:
        """The event with the answer in it, as Cognito wants it back. Raises ``UnknownEvent``."""
        self._ids.begin({"lambda_request_id": context.aws_request_id})
        request = event.get("request")
        if not str(event.get("triggerSource")).startswith("TokenGeneration_") or not isinstance(
            request, dict
        ):
            raise UnknownEvent("this function is called before a token is made, and by nothing else")
        if event.get("version") != "2":
            raise UnknownEvent("version V2_0 of the trigger is needed; set it at the user pool")
        whom = person(request)
        groups = groups_of(whom, self._mapped)
        log.info(
            "token groups",
            extra={
                "username": event.get("userName"),
                "subject": request["userAttributes"].get("sub"),
                "providers": whom.providers,
                "groups": groups,
                "trigger": event["triggerSource"],
            },
        )
        event["response"] = {
            "claimsAndScopeOverrideDetails": {
                "accessTokenGeneration": {"scopesToSuppress": [SELF_SERVICE_SCOPE]},
                # It takes the place of the pool's; an empty list leaves none.
                "groupOverrideDetails": {"groupsToOverride": list(groups), "iamRolesToOverride": []},
            }
        }
        return event
