"""The files of `configs/deploy`: what they run, set and open is what the program has, and no more."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from pipeline import settings
from pipeline.cli.main import app
from pipeline.review.operation import probes

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "configs" / "deploy"
CONTAINERFILE = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
IMAGE = (DEPLOY / "image.sh").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("web", "worker")
GIVEN = {"DOMAIN": "review.example.org", "DB_PASSWORD": "x", "TZ": "Etc/UTC"}
"""What the file .env holds."""

UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
SCRIPTS = sorted(DEPLOY.glob("*.sh"))


def require_understood(words: list[str]) -> None:
    """Have the program's own parser read a command, options and values included, without running it."""
    group = typer.main.get_group(app)
    group.commands[words[0]].make_context(words[0], words[1:])


def filled(text: str) -> str:
    """A value of the compose file as compose fills it in."""
    return re.sub(r"\$\{(\w+)(?::[?-][^}]*)?\}", lambda match: GIVEN[match[1]], text)


def instructions(name: str) -> list[str]:
    """What follows an instruction of the Containerfile, each on one line."""
    lines = CONTAINERFILE.replace("\\\n", " ").splitlines()
    return [line.partition(" ")[2].strip() for line in lines if line.startswith(f"{name} ")]


def image_environment() -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in shlex.split(instructions("ENV")[0]))


@pytest.mark.parametrize("name", OURS)
def test_the_program_understands_what_compose_has_it_do(name: str) -> None:
    require_understood(SERVICES[name]["command"])


def test_the_program_understands_what_the_image_runs() -> None:
    assert instructions("ENTRYPOINT") == ['["tape-review"]']
    require_understood(yaml.safe_load(instructions("CMD")[0]))
    commands = re.findall(r'bin/tape-review" ([\w -]+)$', IMAGE, flags=re.MULTILINE)
    assert commands == ["models --fetch"]
    for command in commands:
        require_understood(shlex.split(command))


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_the_program_understands_what_a_unit_starts(unit: Path, tmp_path: Path) -> None:
    (line,) = re.findall(r"^ExecStart=/opt/tape-review/bin/tape-review (.+)$", unit.read_text(), flags=re.MULTILINE)
    config = tmp_path / "tape-review.toml"
    shutil.copy(DEPLOY / "tape-review.toml", config)
    require_understood(shlex.split(line.replace("/etc/tape-review/tape-review.toml", str(config))))


@pytest.mark.parametrize("name", OURS)
def test_what_compose_sets_are_settings_and_the_proxy_is_trusted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    values = image_environment() | {key: filled(value) for key, value in SERVICES[name]["environment"].items()}
    ours = {key: value for key, value in values.items() if key.startswith("TAPE_REVIEW_")}
    for key, value in ours.items():
        monkeypatch.setenv(key, value)
    loaded = settings.load()
    assert sum(origin == "environment" for origin in loaded.origins.values()) == len(ours)
    assert loaded.settings.tapes.database.startswith("postgresql+psycopg://")
    if name == "web":
        review = loaded.settings.review
        assert (review.host, review.address) == ("0.0.0.0", "https://review.example.org")  # noqa: S104
        subnets = [each["subnet"] for each in COMPOSE["networks"]["front"]["ipam"]["config"]]
        assert list(review.trusted_proxies) == subnets
        assert instructions("EXPOSE") == [str(review.port)]


@pytest.mark.parametrize("name", OURS)
def test_web_and_worker_may_do_little_and_are_reached_through_caddy_alone(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["ulimits"] == {"core": 0}


def test_only_caddy_has_ports_and_the_database_is_on_no_network_that_leads_out() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["caddy"]
    assert SERVICES["db"]["networks"] == SERVICES["worker"]["networks"] == ["back"]
    assert COMPOSE["networks"]["back"] == {"internal": True}
    assert set(SERVICES) == {"web", "worker", "db", "caddy"}


def test_no_password_stands_in_the_compose_file() -> None:
    passwords = [
        value for service in SERVICES.values() for key, value in service["environment"].items() if "PASSWORD" in key
    ]
    assert passwords
    assert set(passwords) == {"${DB_PASSWORD:?set it in .env}"}


def test_home_and_keys_lie_within_their_volumes_with_room_beside_for_a_restore() -> None:
    environment = image_environment()
    mounts = [volume.split(":")[1] for volume in SERVICES["web"]["volumes"]]
    assert yaml.safe_load(instructions("VOLUME")[0]) == mounts
    paths = [Path(environment[f"TAPE_REVIEW_TAPES__{name}"]) for name in ("HOME", "KEYS")]
    assert [str(path.parent) for path in paths] == mounts
    assert [SERVICES[name]["environment"]["TAPE_REVIEW_TAPES__HOME"] for name in OURS] == [str(paths[0])] * 2
    made = re.findall(r"^install -d .* (/srv/\S+) (/srv/\S+)$", IMAGE, flags=re.MULTILINE)
    assert made == [tuple(mounts)]


def test_the_containers_health_is_a_page_of_the_room() -> None:
    program = SERVICES["web"]["healthcheck"]["test"][-1]
    compile(program, "healthcheck", "exec")
    assert "http://127.0.0.1:8787/healthz" in program
    assert "/healthz" in {route.path for route in probes.router.routes}  # type: ignore[attr-defined]


def test_the_image_takes_what_the_wheel_is_made_of_and_nothing_else_of_a_checkout() -> None:
    sources = [path for line in instructions("COPY") for path in line.split()[:-1]]
    assert all((ROOT / path).exists() for path in sources)
    assert "." not in sources
    included = re.search(
        r"^\[tool\.hatch\.build\.targets\.wheel\.force-include\]\n((?:.+\n)+)",
        (ROOT / "pyproject.toml").read_text(),
        re.M,
    )
    assert included
    wanted = [line.partition(" = ")[0].strip('"') for line in included[1].splitlines()]
    assert {path.rstrip("/") for path in sources} == {"pyproject.toml", "README.md", "LICENSE", "pipeline", *wanted}
    for line in instructions("COPY"):
        *paths, target = line.split()
        for path in paths:
            assert target.rstrip("/") in (f"/src/{path.rstrip('/')}", f"/src/{Path(path).parent}".removesuffix("/.")), (
                line
            )


def test_the_image_runs_the_one_script_and_not_as_root() -> None:
    assert instructions("RUN") == ["sh /src/configs/deploy/image.sh /src && rm -r /src"]
    (user,) = instructions("USER")
    assert re.search(rf"^    useradd --uid 10001 .* {user}$", IMAGE, re.M)
    assert "image.sh /src" in (DEPLOY / "rootfs.sh").read_text()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_scripts_are_shell(script: Path) -> None:
    subprocess.run(["sh", "-n", script], check=True)
    assert script.read_text().startswith("#!/bin/sh\n")
    assert "\nset -eu\n" in script.read_text()


def read_unit(unit: Path) -> dict[str, list[str]]:
    """What a unit says about its service: name -> values."""
    values: dict[str, list[str]] = {}
    for line in unit.read_text().splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            values.setdefault(name, []).append(value)
    return values


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_gives_its_service_little(unit: Path) -> None:
    values = read_unit(unit)
    for name in ("NoNewPrivileges", "PrivateTmp", "PrivateDevices", "ProtectHome", "ProtectKernelTunables"):
        assert values[name] == ["yes"], name
    assert values["ProtectSystem"] == ["strict"]
    assert values["CapabilityBoundingSet"] == values["AmbientCapabilities"] == [""]
    assert values["IPAddressDeny"] == ["any"]
    assert values["User"] == ["tape-review"]
    assert values["LimitCORE"] == values["MemorySwapMax"] == ["0"]
    assert f"/etc/systemd/system/{unit.name}" in unit.read_text().splitlines()[0]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_systemd_reads_the_units_and_finds_little_exposed(tmp_path: Path) -> None:
    for unit in UNITS:
        text = unit.read_text()
        (tmp_path / unit.name).write_text(text.replace("/opt/tape-review/bin/tape-review", shutil.which("true") or ""))
    copies = [str(tmp_path / unit.name) for unit in UNITS]
    done = subprocess.run(["systemd-analyze", "verify", *copies], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    for copy in copies:
        command = ["systemd-analyze", "security", "--offline=yes", "--threshold=20", copy]
        rated = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert rated.returncode == 0, rated.stdout.splitlines()[-1]


def test_the_settings_of_the_units_are_settings_and_lie_in_the_folder_that_they_may_write() -> None:
    loaded = settings.load(files=[DEPLOY / "tape-review.toml"]).settings
    for folder in (loaded.tapes.home, loaded.tapes.keys):
        assert Path(folder).parent == Path("/var/lib/tape-review")
    for unit in UNITS:
        assert read_unit(unit)["StateDirectory"] == ["tape-review"]
    assert loaded.review.trusted_proxies


def test_caddy_leads_to_the_room_and_writes_down_no_paths() -> None:
    text = (DEPLOY / "Caddyfile").read_text()
    assert "reverse_proxy web:8787" in text
    assert text.startswith("#")
    assert "{$DOMAIN} {" in text
    assert not re.search(r"^\s*(log|encode)\b", text, re.M)
    assert "./Caddyfile:/etc/caddy/Caddyfile:ro" in SERVICES["caddy"]["volumes"]
