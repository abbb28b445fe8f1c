"""Wiring of the site: who is who among JupyterHub, proxy, portal and workspaces. What may happen is decided in `hub`.

Started by `zhakou serve`; every value a site may choose comes from `hub.settings`.
"""

import os
import sys
from pathlib import Path

from hub.jupyter.authenticator import LocalDirectoryAuthenticator
from hub.jupyter.codes import demo_accounts
from hub.jupyter.proxy import ZhakouProxy, proxy_command
from hub.jupyter.site import site
from hub.jupyter.spawner import ZhakouSpawner, against_starting, why_ended
from hub.jupyter.tied import tied
from hub.jupyter.words import both

c = get_config()  # noqa: F821 - given by traitlets

settings = site().settings
os.umask(0o077)
private = settings.state_dir / "jupyterhub"
private.mkdir(mode=0o700, exist_ok=True)
hours = 3600

# Addresses. The hub itself is on loopback TCP: services and the culler need it there.
c.JupyterHub.bind_url = f"http://{settings.public_host}:{settings.public_port}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{settings.hub_port}"
c.JupyterHub.default_url = "/services/portal/"

# State: the hub's alone.
c.JupyterHub.db_url = f"sqlite:///{private / 'jupyterhub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(private / "cookie_secret")

# Proxy: docs/adr/0002-proxy.md.
c.JupyterHub.proxy_class = ZhakouProxy
c.ConfigurableHTTPProxy.command = proxy_command()
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{settings.proxy_api_port}"
c.ConfigurableHTTPProxy.pid_file = str(private / "proxy.pid")
c.ConfigurableHTTPProxy.log_level = "warn"

# People. No administrator: JupyterHub's admin role opens everybody's server, and its scopes are fixed.
if settings.signs_in_here:
    c.JupyterHub.authenticator_class = LocalDirectoryAuthenticator
else:
    from hub.jupyter import oidc

    oidc.configure(c, settings)
c.Authenticator.admin_users = set()
c.Authenticator.allow_all = True  # who comes in is decided by the directory of the hub
c.JupyterHub.admin_access = False
c.JupyterHub.cookie_max_age_days = 8 / 24  # as long as a session of the portal (hub/web/sessions.py)
c.JupyterHub.oauth_token_expires_in = 8 * hours

# Workspaces: a named server for each licence. A name without a licence is refused by the spawner.
c.JupyterHub.spawner_class = ZhakouSpawner
c.JupyterHub.allow_named_servers = True
c.JupyterHub.named_server_limit_per_user = 50
c.JupyterHub.active_server_limit = 40
c.JupyterHub.concurrent_spawn_limit = 8

inherited = {name: value for name, value in os.environ.items() if name.startswith("ZHAKOU_") or name == "LANG"}
c.JupyterHub.services = [
    {
        "name": "portal",
        "url": f"http://127.0.0.1:{settings.portal_port}",
        "command": tied(sys.executable, "-m", "hub.web.serve"),
        "environment": inherited,
        "oauth_no_confirm": True,
    },
    {
        "name": "idle-culler",
        "command": tied(sys.executable, "-m", "jupyterhub_idle_culler", f"--timeout={1 * hours}"),
    },
]
c.JupyterHub.load_roles = [
    {
        "name": "user",
        "description": "Everyone: see the portal, run their own workspaces. No tokens, no sharing.",
        "scopes": [
            "access:services!service=portal",
            "access:servers!user",
            "servers!user",
            "users:activity!user",
            "read:users!user",
        ],
    },
    {
        "name": "idle-culler",
        "services": ["idle-culler"],
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
    },
]

# Pages.
c.JupyterHub.template_paths = [str(Path(__file__).parent / "hub/jupyter/templates")]
c.JupyterHub.template_vars = {
    "_": lambda _user: both,
    "site_language": settings.language,
    "demo_accounts": lambda _user: demo_accounts,
    "why_ended": lambda _user: why_ended,
    "against_starting": lambda _user: against_starting,
}
c.JupyterHub.tornado_settings = {
    "headers": {
        "Content-Security-Policy": "frame-ancestors 'none'; base-uri 'self'; object-src 'none'; form-action 'self'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
    },
}
