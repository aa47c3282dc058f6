"""What the programs of the stack inherit."""

from __future__ import annotations

from pathlib import Path

from smas_emulator.programs import (
    emulator_environment,
    root_environment,
    service_command,
    service_environment,
    shipper_command,
)
from smas_emulator.trail_settings import TrailSettings

TRAIL = TrailSettings(Path("/state/trail"), log_seconds=0.5, digest_seconds=3600)

HOSTILE = {
    "PATH": "/bin",
    "HOME": "/home/me",
    "AWS_ACCESS_KEY_ID": "AKIAREAL",
    "AWS_PROFILE": "production",
    "AWS_ENDPOINT_URL_S3": "https://s3.amazonaws.com",
    "SMAS_BUCKET": "somebody-elses",
    "GUNICORN_CMD_ARGS": "--bind 0.0.0.0:80",
    "SERVICES": "s3",
    "DEBUG": "1",
    "PERSISTENCE": "1",
    "no_proxy": "intranet",
}


def test_a_developers_own_aws_never_reaches_the_service() -> None:
    """Real keys, profiles and endpoints in the shell stay there: the service sees the local stack's alone."""
    environment = service_environment(
        HOSTILE, {"AWS_ENDPOINT_URL": "http://localhost:4566", "SMAS_BUCKET": "b"}
    )

    foreign = {
        name: value for name, value in environment.items() if name.startswith(("AWS_", "SMAS_", "GUNICORN_"))
    }
    assert foreign == {"AWS_ENDPOINT_URL": "http://localhost:4566", "SMAS_BUCKET": "b"}
    assert environment["HOME"] == "/home/me"


def test_a_proxy_is_not_asked_for_localhost() -> None:
    """Addresses of this machine are exempt from any proxy, beside those already exempt."""
    assert service_environment(HOSTILE, {})["no_proxy"] == "intranet,localhost,127.0.0.1"


def test_the_emulator_inherits_no_setting_by_accident(tmp_path: Path) -> None:
    """Variables as common as DEBUG would configure LocalStack; it gets ours, and writes in its own folder."""
    environment = emulator_environment(HOSTILE, tmp_path, 4566, TRAIL)

    assert not {"SERVICES", "DEBUG", "PERSISTENCE", "AWS_ACCESS_KEY_ID"} & set(environment)
    for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "FILESYSTEM_ROOT", "CONFIG_DIR"):
        assert Path(environment[name]).is_relative_to(tmp_path)


def test_presigned_signatures_are_checked(tmp_path: Path) -> None:
    """LocalStack is told to refuse a wrong signature, which it does not do by itself."""
    assert emulator_environment({}, tmp_path, 4566, TRAIL)["S3_SKIP_SIGNATURE_VALIDATION"] == "0"


def test_the_shipper_has_a_role_of_its_own(tmp_path: Path) -> None:
    """It knows the local AWS as the service does, and acts in no other's name."""
    command = shipper_command(tmp_path, {"AWS_ENDPOINT_URL": "http://localhost:4566"})

    assert command.name == "shipper"
    assert command.arguments[-1] == str(tmp_path)
    assert command.environment == {
        "AWS_ENDPOINT_URL": "http://localhost:4566",
        "AWS_PROFILE": "smas-shipper",
    }


def test_servers_listen_on_this_machine_only(tmp_path: Path) -> None:
    """Neither the service nor the local AWS can be reached from elsewhere."""
    service = service_command("python", tmp_path, 8080, {})

    assert service.arguments[service.arguments.index("--bind") + 1] == "127.0.0.1:8080"
    assert emulator_environment({}, tmp_path, 4566, TRAIL)["GATEWAY_LISTEN"] == "127.0.0.1:4566"


def test_the_aws_cli_is_the_local_root_whatever_its_user_configured() -> None:
    """`make aws` cannot reach a real account: keys, region, endpoint and files are the local ones."""
    environment = root_environment("http://localhost:4566", HOSTILE)

    assert environment["AWS_ACCESS_KEY_ID"] == "test"
    assert environment["AWS_ENDPOINT_URL"] == "http://localhost:4566"
    assert environment["AWS_CONFIG_FILE"] == environment["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"


def test_the_plug_in_reads_what_the_supervisor_says(tmp_path: Path) -> None:
    """How often the trail delivers, and where to, comes through the environment whole."""
    assert TrailSettings.read(emulator_environment(HOSTILE, tmp_path, 4566, TRAIL)) == TRAIL
