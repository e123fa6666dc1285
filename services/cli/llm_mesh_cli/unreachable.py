"""What is said where no mesh answers: whether one has to be started, or which setting has the wrong address."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from llm_mesh_cli.session import Session
    from llm_mesh_runtime.errors import PeerError

_REASON = "PEER_UNAVAILABLE"
_START = "start it with `llm-mesh up`"


class Aim(NamedTuple):
    """Where a command asks, and what says so. `setting` empty: nothing was set."""

    address: str
    setting: str


def aim_of(session: Session, service: str = "") -> Aim:
    """Where a service is asked, by the first that says it."""
    settings, mesh = session.settings, session.mesh
    candidates: tuple[tuple[str | None, str], ...] = (
        (session.access.address, "--address"),
        (settings.addresses.get(service), f"LLM_MESH_ADDRESS_{service.upper().replace('/', '_').replace('-', '_')}"),
        (settings.address, "LLM_MESH_ADDRESS"),
    )
    aim = next((Aim(address, setting) for address, setting in candidates if address), None)
    return aim or Aim(session.files.addresses().get("grpc", "") or mesh.grpc, "")


class Advice(NamedTuple):
    """What is wrong, and what to do."""

    message: str
    remedy: str


def advice(session: Session) -> Advice:
    """What to say where nobody answers at the place that was asked last."""
    address, setting = session.aim
    if not setting:
        remedy = f"{_START}; where it runs elsewhere, say so with --address or LLM_MESH_ADDRESS"
        return Advice(f"the mesh is not running: nobody answers at {address}", remedy)
    if "://" in address:
        return Advice(f"{setting} is {address}, which is no gRPC address", "Give host:port, such as 127.0.0.1:50051.")
    if address == session.files.addresses().get("http", "").removeprefix("https://"):
        grpc = session.files.addresses().get("grpc", "")
        return Advice(f"{setting} is {address}, where the mesh serves HTTP", f"Give its gRPC address, {grpc}.")
    remedy = f"Correct {setting} (a gRPC address, host:port). Where that is the mesh's, it is not running: {_START}."
    return Advice(f"no mesh answers at {address}, which {setting} says", remedy)


def explained(error: PeerError, session: Session) -> PeerError:
    """The failure in words that help, where nobody answered; any other as it is."""
    if error.reason_name != _REASON or error.peer != session.peer:
        return error
    if error.details:  # somebody did answer: the mesh, whose service does not
        peer = error.metadata.get("peer", error.peer)
        error.message = f"the mesh answers at {session.aim.address}, but its service {peer} does not"
        error.remedy = "`llm-mesh health` shows how each service is."
        return error
    error.message, error.remedy = advice(session)
    error.retry_after = None
    return error
