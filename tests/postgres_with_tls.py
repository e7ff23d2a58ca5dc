"""Debian's PostgreSQL, which speaks TLS, as a target on loopback: the twin's own is built without."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import time
from collections.abc import Mapping
from pathlib import Path

import trustme

from twin.installation import make_folder, server_user
from twin.ports import free_ports
from twin.processes import Processes, path_only

PASSWORD = "only-for-this-test"
SECONDS = 20.0
# TLS 1.0 needs ciphers that OpenSSL no longer counts as strong.
OLD = {"ssl_min_protocol_version": "TLSv1", "ssl_ciphers": "DEFAULT:@SECLEVEL=0"}
SETTINGS = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off", "shared_buffers": "16MB"}
DEMANDS = "hostssl all all 127.0.0.1/32 scram-sha-256\n"
ALLOWS = "host all all 127.0.0.1/32 scram-sha-256\n"


def installed() -> Path | None:
    """The folder of the newest installed server's programs, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return found[-1].parent if found else None


class PostgresWithTls:
    """One data folder, whose server is started anew for each certificate and setting."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._folder = make_folder("postgres-tls-")
        self._data = self._folder / "data"
        self._processes = Processes(self._folder)
        self._user = server_user()
        self._create()

    def _create(self) -> None:
        self._data.mkdir(mode=0o700)
        self._keep(self._folder / "password", PASSWORD)
        self._hand_over(self._data)
        options = ["-U", "judge", "--auth=scram-sha-256", f"--pwfile={self._folder / 'password'}", "--no-sync", "--locale=C"]
        self._processes.spawn(
            "initdb", [f"{self._programs}/initdb", "-D", str(self._data), *options], path_only(), user=self._user
        )
        self._processes.finish("initdb", SECONDS)

    def start(self, certificate: trustme.LeafCert | None, settings: Mapping[str, str], access: str = DEMANDS) -> str:
        """Start a server with this certificate (None: without TLS); returns the URL of its database."""
        self.stop()
        (port,) = free_ports(1)
        used = {**SETTINGS, "port": str(port), **settings}
        if certificate is not None:
            files = {
                "cert": b"".join(blob.bytes() for blob in certificate.cert_chain_pems).decode(),
                "key": certificate.private_key_pem.bytes().decode(),
            }
            for name, text in files.items():
                self._keep(self._folder / f"{name}.pem", text)
            used |= {"ssl": "on"} | {f"ssl_{name}_file": str(self._folder / f"{name}.pem") for name in files}
        self._keep(self._data / "pg_hba.conf", access)
        command = [f"{self._programs}/postgres", "-D", str(self._data)]
        command += [part for name, value in used.items() for part in ("-c", f"{name}={value}")]
        self._processes.spawn("server", command, path_only(), user=self._user, death=signal.SIGQUIT)
        self._await(port)
        return f"postgresql://judge:{PASSWORD}@localhost:{port}/postgres"

    def _await(self, port: int) -> None:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline and not self._processes.has_ended("server"):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError(self._processes.tail("server"))

    def stop(self) -> None:
        """End the server, if there is one."""
        self._processes.stop()
        self._processes = Processes(self._folder)

    def close(self) -> None:
        """End the server, and remove what it wrote."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _keep(self, path: Path, text: str) -> None:
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(text)
        self._hand_over(path)

    def _hand_over(self, path: Path) -> None:
        if self._user is not None:
            os.chown(path, self._user.pw_uid, self._user.pw_gid)
