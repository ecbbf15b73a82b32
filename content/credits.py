"""Licences (SPDX), the TASL credit line, and what a picture or document still lacks."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Licence(models.TextChoices):
    """The terms a work is used under: SPDX identifiers, and LicenseRefs for what SPDX does not list."""

    CC0 = "CC0-1.0", _("CC0 1.0 (public domain dedication)")
    PDM = "LicenseRef-PDM-1.0", _("Public domain")
    CC_BY = "CC-BY-4.0", _("CC BY 4.0")
    CC_BY_SA = "CC-BY-SA-4.0", _("CC BY-SA 4.0")
    CC_BY_NC = "CC-BY-NC-4.0", _("CC BY-NC 4.0")
    CC_BY_NC_SA = "CC-BY-NC-SA-4.0", _("CC BY-NC-SA 4.0")
    CC_BY_ND = "CC-BY-ND-4.0", _("CC BY-ND 4.0")
    CC_BY_NC_ND = "CC-BY-NC-ND-4.0", _("CC BY-NC-ND 4.0")
    CC_BY_3 = "CC-BY-3.0", _("CC BY 3.0")
    CC_BY_SA_3 = "CC-BY-SA-3.0", _("CC BY-SA 3.0")
    CC_BY_2 = "CC-BY-2.0", _("CC BY 2.0")
    CC_BY_SA_2 = "CC-BY-SA-2.0", _("CC BY-SA 2.0")
    OWN_WORK = "LicenseRef-own-work", _("Our own work, all rights reserved")
    PERMISSION = "LicenseRef-permission", _("Used by permission")
    ALL_RIGHTS_RESERVED = "LicenseRef-all-rights-reserved", _("All rights reserved")
