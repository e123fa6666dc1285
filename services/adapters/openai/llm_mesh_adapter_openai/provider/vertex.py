"""Vertex AI's endpoint in the OpenAI dialect: its address is made of project and location, its tokens are those of a Google account."""

from __future__ import annotations

from dataclasses import dataclass

from llm_mesh_adapter_kit.google_accounts import Issuers, project_of
from llm_mesh_adapter_kit.google_places import region_of, vertex_url
from llm_mesh_dialects.fields import Fields

_VERSION = "v1"
_ENDPOINT = "/endpoints/openapi"


@dataclass(frozen=True, slots=True)
class VertexAccount:
    """What the operator's settings say of Vertex."""

    issuers: Issuers
    credentials_file: str = ""
    project: str = ""
    location: str = ""

    def place(self, fields: Fields) -> tuple[str, str]:
        """The address, and the mesh's region of it; empty where no project is known."""
        file, location = self.file(fields), fields.text("location") or self.location
        project = fields.text("project") or self.project or (project_of(file) if file else "")
        if not project:
            return "", ""
        try:
            return vertex_url(project, location, _VERSION) + _ENDPOINT, region_of(location)
        except ValueError as error:
            raise fields.wrong("project", str(error)) from None

    def file(self, fields: Fields) -> str:
        """The credentials file of an endpoint."""
        return fields.text("credentials_file") or self.credentials_file
