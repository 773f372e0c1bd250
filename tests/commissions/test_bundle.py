"""A run in one file: verified without a database, computed by anybody, and no byte of it can be changed."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import random
import zipfile

import pytest
from click.testing import CliRunner

from portal.cli.comp import comp
from portal.commissions import bundle
from portal.commissions.bundle import read_bundle
from portal.commissions.bundle_check import Broken, verify
from portal.commissions.kept import kept
from portal.engine import snapshot
from portal.extensions import db
from portal.models import Consultant, Person
from portal.store import perform
from tests.commissions.closed import closed, run_of
from tests.people import invite_cast
from tests.shop import add_sale, reverse_sale


@pytest.fixture
def run_id(sqlite_app):
    """A closed week in which one sale was taken back."""
    cast = invite_cast(sqlite_app)
    with sqlite_app.app_context():
        sale = perform(lambda uow: add_sale(uow, cast.ben, 400_00, revenue=3_000_00))
        perform(lambda uow: reverse_sale(uow, sale, volume=50_00, revenue=1_000_00))
        perform(lambda uow: add_sale(uow, cast.cem, 300_00, revenue=3_000_00))
        yield closed(cast.cycle, cast.ada, cast.fin)


@pytest.fixture
def written(run_id):
    return b"".join(read_bundle(db.session(), run_of(run_id)).pieces())


def verified(data):
    return verify(io.BytesIO(data))


def sealed_again(data, change):
    """The bundle with other files, its manifest and its seal made to fit: a forger who knows the format."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    manifest = json.loads(files[bundle.MANIFEST])
    manifest["files"] = {
        name: hashlib.sha256(content).hexdigest()
        for name, content in files.items()
        if name != bundle.MANIFEST
    }
    files[bundle.MANIFEST] = json.dumps(manifest).encode()
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        archive.comment = b"0" * bundle.SEAL_LENGTH
    body = made.getvalue()[: -bundle.SEAL_LENGTH]
    return body + hashlib.sha256(body).hexdigest().encode()


def test_what_was_exported_is_verified_without_a_database(run_id, written, tmp_path):
    run = run_of(run_id)
    file = tmp_path / "run.zip"
    file.write_bytes(written)

    ran = CliRunner().invoke(comp, ["verify", str(file), "--json"], catch_exceptions=False)

    told = json.loads(ran.stdout)
    assert (ran.exit_code, told["same"], told["same_code"], told["members"]) == (0, True, True, 4)
    assert (told["manifest"]["input_hash"], told["manifest"]["output_hash"]) == (
        run.input_hash,
        run.output_hash,
    )


def test_anybody_computes_the_case_and_gets_the_expected_result(written, tmp_path):
    with zipfile.ZipFile(io.BytesIO(written)) as archive:
        archive.extractall(tmp_path)

    ran = CliRunner().invoke(comp, ["run", str(tmp_path / "case.json")], catch_exceptions=False)

    assert (ran.exit_code, ran.stdout) == (0, (tmp_path / "expected.json").read_text())


def test_nobody_is_named_in_it(written):
    with zipfile.ZipFile(io.BytesIO(written)) as archive:
        content = b"".join(archive.read(name) for name in archive.namelist())

    people = db.session.query(Person).all()
    assert len(people) > 4
    assert [person.name for person in people if person.email.encode() in content] == []
    assert [person.name for person in people if f'"{person.name}"'.encode() in content] == []
    assert db.session.query(Consultant).first().code.encode() in content


def test_a_changed_byte_is_found_wherever_it_stands(written):
    places = random.Random(5).sample(range(len(written)), 400)
    places += [*range(60), *range(len(written) - 200, len(written))]
    unseen = []
    for place in places:
        changed = bytearray(written)
        changed[place] ^= 1 << (place % 8)
        try:
            verified(bytes(changed))
            unseen.append(place)
        except Broken:
            continue

    assert unseen == []


@pytest.mark.parametrize("cut", [0, 10, 64, 1000])
def test_a_part_of_a_file_is_no_bundle(written, cut):
    with pytest.raises(Broken):
        verified(written[:cut])
    with pytest.raises(Broken):
        verified(written + b"x")


def test_who_seals_an_unchanged_bundle_again_has_changed_nothing(written):
    assert verified(sealed_again(written, lambda files: None)).members == 4


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("expected.json", b"30.00", b"30.01", "expected.json"),
        ("case.json", b'"volume": "300.00"', b'"volume": "300.01"', "json"),
        ("plan.json", b'"0.10"', b'"0.11"', "plan.json"),
        ("manifest.json", b'"output_hash": "', b'"output_hash": "f', "hash of the result"),
        ("manifest.json", b'"input_hash": "', b'"input_hash": "f', "hash of the inputs"),
        ("manifest.json", b'"plan_hash": "', b'"plan_hash": "f', "hash of the plan"),
    ],
)
def test_a_forger_who_seals_it_again_is_found(written, name, old, new, said):
    def change(files):
        assert old in files[name]
        files[name] = files[name].replace(old, new, 1)

    with pytest.raises(Broken, match=said):
        verified(sealed_again(written, change))


def test_other_inputs_with_the_old_hashes_are_found(run_id, written):
    inputs = kept(run_of(run_id)).inputs
    volume = inputs.events.volume + 0
    volume[0] += 1
    other = dataclasses.replace(inputs, events=dataclasses.replace(inputs.events, volume=volume))

    def change(files):
        files["inputs.bin"] = snapshot.freeze(other)

    with pytest.raises(Broken, match="hash of the inputs"):
        verified(sealed_again(written, change))


def test_a_file_too_much_is_found(written):
    def change(files):
        files["more.txt"] = b"more"

    with pytest.raises(Broken, match="exactly"):
        verified(sealed_again(written, change))


def test_commands_replay_and_export(run_id, sqlite_app, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runner = sqlite_app.test_cli_runner()
    name = db.session.get_one(bundle.Cycle, run_of(run_id).cycle_id).name

    replayed = runner.invoke(args=["cycle", "replay", name])
    exported = runner.invoke(args=["cycle", "export", str(run_id), "--json"])

    assert (replayed.exit_code, "is the same, computed by the same engine" in replayed.output) == (0, True)
    file = json.loads(exported.output)["file"]
    assert verified((tmp_path / file).read_bytes()).manifest.run == run_id

    perform(lambda uow: setattr(uow.session.get_one(bundle.Run, run_id), "output_hash", "0" * 64))
    wrong = runner.invoke(args=["cycle", "replay", str(run_id), "--json"])
    assert (wrong.exit_code, json.loads(wrong.output)["differences"][0]["what"]) == (1, "result")
    assert runner.invoke(args=["cycle", "replay", "2020-W01"]).exit_code == 1
