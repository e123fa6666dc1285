"""What every service with resources needs alike: their names, pages of lists, field masks, etags and changes (AIP-122, 134, 154, 158)."""

from llm_mesh_runtime.resources.changes import change_of, digest_of, etag_of
from llm_mesh_runtime.resources.masks import ALL, applied, check_masks, is_open, masked_update
from llm_mesh_runtime.resources.names import ALIAS, NamePattern, checked_alias, checked_id, domain_of, is_named, is_within
from llm_mesh_runtime.resources.paging import Page, page_of
from llm_mesh_runtime.resources.quotas import Quotas

__all__ = [
    "ALIAS",
    "ALL",
    "NamePattern",
    "Page",
    "Quotas",
    "applied",
    "change_of",
    "check_masks",
    "checked_alias",
    "checked_id",
    "digest_of",
    "domain_of",
    "etag_of",
    "is_named",
    "is_open",
    "is_within",
    "masked_update",
    "page_of",
]
