"""What gunicorn serves: ``service.wsgi:app``."""

from __future__ import annotations

import logging
import os
import sys

from service.bootstrap import build_service
from service.logs import configure
from service.settings import SettingsError, service_settings

configure()
try:
    app = build_service(service_settings(os.environ))
except SettingsError as error:
    logging.getLogger("service").critical("The service cannot start: %s.", error)
    sys.exit(1)
