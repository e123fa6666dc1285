"""Offers are listed, accepted, updated and cancelled at the command line, and described in a file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.inside import within
from tests.cli.test_cli_apply_file import problems, read
from tests.e2e.running import RunningMesh, running
from tests.proofs.stand import until

MODEL, ROUTE = "domains/seller/models/talker", "domains/seller/routes/way"
SELLER = """
domains:
  - name: seller
    models:
      - {{name: talker, adapter: openai, endpoint: simulator, upstream_model: sim-echo, capabilities: [generate, streaming],
         context_window: 128000, max_output_tokens: 100, shared_with: ["*"], price: {{input: "{price}", output: "{price}", source: t}}}}
    routes:
      - {{name: way, alias: way, targets: [{{model: talker}}], shared_with: ["*"]}}
"""


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMesh]:
    """A mesh in which one domain offers a model and a route."""
    folder = tmp_path_factory.mktemp("subscriptions")
    with running(folder) as process:
        started = within(process)
        sell(started, folder, "0.10")
        yield started


def sell(mesh: RunningMesh, folder: Path, price: str) -> None:
    file = folder / "seller.yaml"
    file.write_text(SELLER.format(price=price))
    done = mesh.cli("apply", "-f", str(file))
    assert done.returncode == 0, done.stderr


def answer(mesh: RunningMesh, *words: str) -> Any:
    done = mesh.cli(*words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout or "null")


def asked(mesh: RunningMesh, alias: str) -> int:
    return mesh.cli("chat", "-m", alias, "hi").returncode


def test_an_offer_is_listed_accepted_updated_and_cancelled(mesh: RunningMesh, tmp_path: Path) -> None:
    offers = answer(mesh, "subscriptions", "offers", "--domain", "default")
    assert [offer["product"] for offer in offers if offer["product"] in {MODEL, ROUTE}] == [MODEL, ROUTE]
    everywhere = {offer["product"]: offer["offeredTo"] for offer in answer(mesh, "subscriptions", "offers", "--state", "not-accepted")}
    assert (everywhere[MODEL], everywhere[ROUTE]) == (["*"], ["*"])
    assert "is offered and not accepted" in mesh.cli("doctor").stdout
    assert asked(mesh, "ours") == 5
    misspelt = mesh.cli("subscriptions", "accept", "seller/models/taller", "--domain", "default")
    assert (misspelt.returncode, f"did you mean {MODEL}" in misspelt.stderr) == (5, True)
    (version,) = (offer["version"] for offer in offers if offer["product"] == MODEL)
    accepted = mesh.cli("subscriptions", "accept", "seller/models/talker", "--alias", "ours", "--version", version)
    assert accepted.stdout == f"domains/default/subscriptions/seller-talker accepts {MODEL}: accepted\n"
    until(lambda: asked(mesh, "ours") == 0, "the accepted model answers")
    sell(mesh, tmp_path, "0.90")
    assert "1 changed: price" in mesh.cli("subscriptions", "list").stdout
    assert "accepted; changed: price" in mesh.cli("subscriptions", "offers", "--domain", "default").stdout
    refused = mesh.cli("subscriptions", "update", "seller-talker", "--accept", "--version", version)
    assert (refused.returncode, "ETAG_MISMATCH" in refused.stderr) == (6, True)
    assert answer(mesh, "subscriptions", "show", "seller-talker")["model"]["price"]["inputNanosPerMillion"] == "100000000"
    updated = answer(mesh, "subscriptions", "update", "seller-talker", "--accept", "--alias", "theirs")
    assert (updated["alias"], updated["model"]["price"]["inputNanosPerMillion"], "proposed" in updated) == ("theirs", "900000000", False)
    assert mesh.cli("subscriptions", "update", "seller-talker", "--accept").returncode == 5
    assert mesh.cli("subscriptions", "update", "seller-talker").returncode == 2
    assert mesh.cli("subscriptions", "cancel", "seller-talker").returncode == 0
    until(lambda: asked(mesh, "theirs") == 5, "a cancelled model is unknown")


def test_all_that_a_domain_offers_is_accepted_at_once(mesh: RunningMesh) -> None:
    accepted = answer(mesh, "subscriptions", "accept", "seller", "--name", "everything")
    assert (accepted["publisher"], accepted["products"]) == ("domains/seller", 2)
    until(lambda: asked(mesh, "way") == 0, "the accepted route answers")
    assert mesh.cli("subscriptions", "accept", "seller", "--name", "again").returncode == 6
    assert mesh.cli("subscriptions", "cancel", "everything").returncode == 0


def test_subscriptions_of_a_file_apply_once_also_to_what_the_file_makes(mesh: RunningMesh, tmp_path: Path) -> None:
    file = tmp_path / "mesh.yaml"
    seller = SELLER.format(price="0.10").replace("seller", "maker").replace("way", "path")
    file.write_text(
        seller + "  - name: default\n    subscriptions:\n"
        "      - {name: made, product: maker/models/talker, alias: made}\n"
        "      - {name: path, product: maker/routes/path}\n"
        "      - {name: seller, publisher: seller}\n"
    )
    wanted = [f"domains/default/subscriptions/{name}" for name in ("made", "path", "seller")]

    def applied(*words: str) -> dict[str, str]:
        changes = answer(mesh, "apply", "-f", str(file), *words)["changes"]
        return {
            change["resource"]: change["action"].removeprefix("CHANGE_ACTION_")
            for change in changes
            if "/subscriptions/" in change["resource"]
        }

    assert applied("--dry-run") == dict.fromkeys(wanted, "CREATE")
    assert answer(mesh, "subscriptions", "list", "--domain", "default") == []
    assert applied() == dict.fromkeys(wanted, "CREATE")
    assert applied() == dict.fromkeys(wanted, "NONE")
    until(lambda: asked(mesh, "made") == asked(mesh, "path") == 0, "what the file accepts answers")
    file.write_text(file.read_text().replace("product: maker/models/talker", "product: maker/models/nothing"))
    refused = mesh.cli("apply", "-f", str(file))
    assert refused.returncode == 2
    assert f"{file}:11: domains[1].subscriptions[0].product" in refused.stderr
    for name in ("made", "path", "seller"):
        assert mesh.cli("subscriptions", "cancel", name).returncode == 0


def test_a_subscription_in_a_file_names_one_source(tmp_path: Path) -> None:
    head = "domains:\n  - name: a\n    subscriptions:\n      - "
    assert (
        read(tmp_path, head + "{name: s, product: b/models/m, alias: x}\n").subscriptions.subscriptions[0].product == "domains/b/models/m"
    )
    for wrong in ("{name: s}", "{name: s, product: b/models/m, publisher: b}"):
        assert problems(tmp_path, f"{head}{wrong}\n") == ["mesh.yaml:4: domains[0].subscriptions[0]: expected either publisher or product"]
