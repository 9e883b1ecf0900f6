"""Signing in and staying signed in."""

from dataclasses import dataclass
from datetime import timedelta

from services.session.identity.accounts.domain import SIGNED_IN_OF_DEVICE, User
from services.session.identity.accounts.fair_queue import THE_SERVICE, Asker
from services.session.identity.accounts.passwords import Passwords
from services.session.identity.accounts.repository import UserRepository
from services.session.identity.keys.repository import ApiKeyRepository
from services.session.identity.signin.domain import (
    LIFETIME,
    AuthCode,
    RefreshTokens,
    Rotation,
    SignIn,
    device_token,
    digest,
)
from services.session.identity.signin.repository import AuthCodeRepository, SignInRepository
from shared.access.identity import Caller, Scope, TokenIssuer
from shared.clock import Clock
from shared.contracts.states import UserRole
from shared.errors import Forbidden, TooManyRequests, Unauthenticated
from shared.ids import new_id, new_secret
from shared.persistence.mongo import Duplicate

CODE_LIFETIME = timedelta(seconds=60)
_HOUR = 3600


@dataclass(frozen=True)
class SignedIn:
    """Who is in, and with which tokens."""

    user: User
    access_token: str
    refresh_token: str


class SignInService:
    def __init__(
        self,
        users: UserRepository,
        keys: ApiKeyRepository,
        sign_ins: SignInRepository,
        codes: AuthCodeRepository,
        passwords: Passwords,
        refresh_tokens: RefreshTokens,
        issuer: TokenIssuer,
        clock: Clock,
    ):
        self._users = users
        self._keys = keys
        self._sign_ins = sign_ins
        self._codes = codes
        self._passwords = passwords
        self._refresh_tokens = refresh_tokens
        self._issuer = issuer
        self._clock = clock

    async def login(self, email: str, password: str, asker: Asker = THE_SERVICE) -> SignedIn:
        """Sign in by e-mail and password; one refusal for every way it can be wrong.

        Raises `Unauthenticated`, and `Unavailable` if too many sign in at the same time.
        """
        user = await self._users.find_by_email(email)
        good = await self._passwords.matches(password, user.password_hash if user else None, asker)
        if user is None or not good or not await self._still(user):
            raise Unauthenticated("The e-mail address or the password is wrong", code="credentials_invalid")
        return await self._open(user)

    async def _still(self, user: User) -> bool:
        """Whether the person is as they were before their password was looked at, which takes a while."""
        now = await self._users.find(user.id)
        return now is not None and now.is_active and now.password_hash == user.password_hash

    async def register_viewer(
        self, id: str, display_name: str, known_by: str | None = None
    ) -> tuple[SignedIn, str]:
        """A new viewer under the reserved `id`, signed in, and their device token.

        `known_by` is the token the device already has, if it sends one. Raises `TooManyRequests` if too many
        registered from the device.
        """
        token = device_token(new_secret())
        now = self._clock.now()
        viewer = User(
            id=id,
            username=display_name,
            role=UserRole.VIEWER,
            device_hash=digest(token),
            device_id=await self._device(known_by, id) or id,
            created_at=now,
            updated_at=now,
        )
        try:
            await self._users.add(viewer, viewer.registered())
        except Duplicate:
            viewer = await self._reissue_device(id, token)
        return await self._open(viewer), token

    async def _device(self, token: str | None, viewer_id: str) -> str | None:
        """Which device a token is of, if it is one's; this viewer registers from there."""
        known = await self._users.find_by_device(digest(token)) if token else None
        device = (known.device_id or known.id) if known else None
        if device and not await self._users.count_registration(device, viewer_id, self._clock.now()):
            raise TooManyRequests("Too many people registered from this device", retry_after=_HOUR)
        return device

    async def _reissue_device(self, id: str, token: str) -> User:
        """The registration was repeated: tokens are never stored, so the device gets a new one."""
        await self._users.collection.update({"_id": id}, {"$set": {"device_hash": digest(token)}})
        return await self._users.get(id)

    async def device_login(self, token: str) -> SignedIn:
        user = await self._users.find_by_device(digest(token))
        if user is None or not user.is_active:
            raise Unauthenticated("The device token is not valid", code="device_token_invalid")
        return await self._open(user)

    async def refresh(self, token: str) -> SignedIn:
        """New tokens for a refresh token; a reused one revokes its family."""
        sign_in_id, generation = self._refresh_tokens.read(token)
        for _ in range(2):
            sign_in = await self._sign_ins.find(sign_in_id)
            rotation = sign_in.present(generation, self._clock.now()) if sign_in else Rotation.OVER
            if sign_in is None or rotation is Rotation.OVER:
                break
            if rotation is Rotation.REUSED:
                await self._sign_ins.revoke(sign_in_id, self._clock.now())
                raise Unauthenticated("The refresh token was used before", code="refresh_token_reused")
            if rotation is Rotation.SAME_SUCCESSOR:
                return await self._resume(sign_in, sign_in.generation)
            if await self._sign_ins.rotate(sign_in_id, generation, self._clock.now(), LIFETIME):
                return await self._resume(sign_in, generation + 1)
        raise Unauthenticated("The refresh token is no longer valid", code="refresh_token_invalid")

    async def logout(self, caller: Caller, token: str) -> None:
        """End the sign-in of a refresh token of the caller's own."""
        sign_in_id, _ = self._refresh_tokens.read(token)
        sign_in = await self._sign_ins.find(sign_in_id)
        if sign_in is None or sign_in.user_id != caller.user_id:
            raise Unauthenticated("The refresh token is not valid", code="refresh_token_invalid")
        await self._sign_ins.revoke(sign_in_id, self._clock.now())

    async def me(self, caller: Caller) -> User:
        user = await self._users.find(caller.user_id)
        if user is None or not user.is_active:
            raise Unauthenticated("This account was deleted", code="account_gone")
        return user

    async def generate_code(self, caller: Caller, session_id: str) -> str:
        """A code that signs the caller in once, within `CODE_LIFETIME`; raises `Forbidden`.

        A key never acts as an administrator, so neither may its sign-ins, and they may do no more than the
        key itself; a customer's own user is signed in for as long as the customer's backend says, no longer.
        """
        user = await self.me(caller)
        if caller.api_key_id is not None and user.is_admin:
            raise Forbidden("An administrator signs in without an API key", code="administrator_key")
        if user.external_user_id is not None:
            raise Forbidden("Only the customer's backend may sign this user in", code="customer_person")
        if caller.scopes != frozenset(Scope):
            raise Forbidden("An API key without all scopes cannot sign anybody in", code="scope_missing")
        code = new_secret()
        expires_at = self._clock.now() + CODE_LIFETIME
        signs_in = AuthCode(caller.user_id, caller.api_key_id or caller.via, caller.sign_in_id)
        await self._codes.add(digest(code), signs_in, session_id, expires_at)
        return code

    async def exchange_code(self, code: str) -> SignedIn:
        """Sign in with a code. Raises `Unauthenticated`, also if the sign-in or key that created it has
        ended."""
        taken = await self._codes.take(digest(code), self._clock.now())
        user = await self._users.find(taken.user_id) if taken else None
        if taken is None or user is None or not user.is_active or not await self._holds(taken):
            raise Unauthenticated("The code is invalid or already used", code="auth_code_invalid")
        return await self._open(user, taken.via)

    async def _holds(self, code: AuthCode) -> bool:
        """Whether the code's origin still exists: the sign-in, which a new password ends, or the key."""
        sign_in = await self._sign_ins.find(code.sign_in_id) if code.sign_in_id else None
        return (sign_in is None or sign_in.revoked_at is None) and await self._let_in_by(code.via, *Scope)

    async def _let_in_by(self, via: str | None, *scopes: Scope) -> bool:
        """Whether the API key behind it, if there was one, still exists with all of these scopes."""
        if via is None:
            return True
        key = await self._keys.find(via)
        return key is not None and key.may(*scopes)

    async def _check_recent(self, user: User) -> None:
        """Raises `Unauthenticated` for a guest after whom too many registered from the device.

        So whoever has a valid token is among the last of the device, and a ban finds them there.
        """
        if user.device is None:
            return
        newer = await self._users.count_newer_of_device(user, most=SIGNED_IN_OF_DEVICE)
        if newer == SIGNED_IN_OF_DEVICE:
            raise Unauthenticated(
                "Too many have registered from this device since", code="registration_superseded"
            )

    async def _open(self, user: User, via: str | None = None) -> SignedIn:
        await self._check_recent(user)
        now = self._clock.now()
        sign_in = SignIn(
            id=new_id(), user_id=user.id, generation=1, rotated_at=now, expires_at=now + LIFETIME, via=via
        )
        await self._sign_ins.add(sign_in)
        return self._signed_in(user, sign_in, 1)

    async def _resume(self, sign_in: SignIn, generation: int) -> SignedIn:
        user = await self._active(sign_in.user_id, sign_in.via, *Scope)
        await self._check_recent(user)
        return self._signed_in(user, sign_in, generation)

    async def _active(self, user_id: str, via: str | None, *scopes: Scope) -> User:
        user = await self._users.find(user_id)
        if user is None or not user.is_active:
            raise Unauthenticated("This account was deleted", code="account_gone")
        if not await self._let_in_by(via, *scopes):
            raise Unauthenticated("The API key behind this sign-in lets nobody in now", code="api_key_gone")
        return user

    async def caller(self, user_id: str, via: str | None) -> Caller:
        """A person as a caller without a sign-in, for what works on without them.

        Raises `Unauthenticated` if they, or the API key they signed in through, are gone or may not write.
        """
        return (await self._active(user_id, via, Scope.WRITE)).caller("", via)

    def _signed_in(self, user: User, sign_in: SignIn, generation: int) -> SignedIn:
        access_token, _ = self._issuer.issue(user.caller(sign_in.id, sign_in.via))
        return SignedIn(user, access_token, self._refresh_tokens.token(sign_in.id, generation))
