"""What gunicorn serves: ``service.wsgi:app``."""

from __future__ import annotations

import os
import sys

from service.bootstrap import build_service
from service.logs import configure
from service.settings import SettingsError, service_settings

configure()
try:
    app = build_service(service_settings(os.environ))
except SettingsError as error:
    sys.exit(f"The service cannot start: {error}.")
