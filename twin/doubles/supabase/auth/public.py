"""What Auth says of itself: its health, its settings, its public keys, and the providers that are switched off."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from twin.doubles.supabase.auth.body import Body
from twin.doubles.supabase.auth.context import Context
from twin.doubles.supabase.auth.errors import AuthError

# fmt: off
PROVIDERS = (
    "anonymous_users", "apple", "azure", "bitbucket", "discord", "facebook", "figma", "fly", "github", "gitlab", "google",
    "keycloak", "kakao", "linkedin", "linkedin_oidc", "notion", "slack", "slack_oidc", "spotify", "twitch", "twitter",
    "workos", "zoom",
)
# fmt: on
KEY_SET_SECONDS = 600


class Public:
    """Handlers of one project."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def health(self, _: Request) -> Response:
        """Version of the auth service."""
        description = "GoTrue is a user registration and authentication API"
        return JSONResponse({"version": "v2.180.0", "name": "GoTrue", "description": description})

    async def settings(self, _: Request) -> Response:
        """Public settings of the project."""
        external = dict.fromkeys(PROVIDERS, False) | {"email": True, "phone": False}
        return JSONResponse(
            {
                "external": external,
                "disable_signup": False,
                "mailer_autoconfirm": self._context.autoconfirm,
                "phone_autoconfirm": False,
                "sms_provider": "twilio",
                "saml_enabled": False,
            }
        )

    async def key_set(self, _: Request) -> Response:
        """The public keys that users' tokens are verified with."""
        headers = {"cache-control": f"public, max-age={KEY_SET_SECONDS}"}
        return JSONResponse(self._context.project.signing.published(), headers=headers)

    async def authorize(self, request: Request) -> Response:
        """The way to a provider: none is switched on."""
        provider = request.query_params.get("provider", "")
        if provider not in PROVIDERS:
            message = f"Unsupported provider: Provider {provider} could not be found"
            raise AuthError(400, "validation_failed", message)
        raise AuthError(400, "validation_failed", "Unsupported provider: provider is not enabled")

    async def sso(self, request: Request) -> Response:
        """Single sign-on, which is switched off."""
        await Body.of(request)
        raise AuthError(404, "saml_provider_disabled", "SAML 2.0 is disabled")
