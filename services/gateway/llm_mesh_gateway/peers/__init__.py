"""The other services, as the domain wants them. The only place that knows stubs."""

from llm_mesh_gateway.peers.adapters import AdapterPeers
from llm_mesh_gateway.peers.decisions import CataloguePeer, PolicyPeer, RouterPeer
from llm_mesh_gateway.peers.services import ServicePeers, relays

__all__ = ["AdapterPeers", "CataloguePeer", "PolicyPeer", "RouterPeer", "ServicePeers", "relays"]
