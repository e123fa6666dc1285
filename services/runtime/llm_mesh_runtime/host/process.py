"""`ProcessService`: each process of a mesh with workers tells the others how it is."""

from __future__ import annotations

from llm_mesh.mesh.v1 import process_pb2
from llm_mesh.mesh.v1.process_pb2_grpc import ProcessServiceServicer, add_ProcessServiceServicer_to_server
from llm_mesh_runtime.host.sockets import PROCESS
from llm_mesh_runtime.links import Links
from llm_mesh_runtime.service import Service, Servicers


class ProcessServicer(ProcessServiceServicer):
    """Tells of its own process."""

    def __init__(self, links: Links) -> None:
        self._links = links

    async def Report(self, request: process_pb2.ReportRequest, context: object) -> process_pb2.ReportResponse:
        """How this process is now."""
        del context
        links = self._links
        metrics = links.metrics.render() if request.metrics else b""
        breakers = links.breakers.tripped() if request.breakers else ()
        return process_pb2.ReportResponse(process=links.mesh.process, services=links.health.readiness(), metrics=metrics, breakers=breakers)


def process_service(name: str) -> Service:
    """The service of the process of that name."""
    return Service(PROCESS + name, ("llm_mesh.mesh.v1.ProcessService",), type(None), _build)


def _build(settings: None, links: Links) -> Servicers:
    del settings
    return Servicers((add_ProcessServiceServicer_to_server, ProcessServicer(links)))
