"""What code sees and can do from inside an isolated kernel.

Everything here is tried for real, by code in a kernel. Run by root, the whole file is run once more
as an ordinary user.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import needs
from support.kernels import Session

from proctor.sandbox import filesystem, probe, seccomp
from proctor.sandbox.forkserver import ForkServer
from proctor.sandbox.limits import Limits, explain_error

pytestmark = needs.linux

SECRET = "hunter2-4711"
LIMITS = Limits(
    wall_seconds=60,
    cpu_seconds=20,
    memory_mb=600,
    processes=64,
    file_mb=8,
    scratch_mb=32,
    open_files=200,
)
HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course folder with what no submission may see, and one given file."""
    folder = tmp_path_factory.mktemp("course")
    (folder / "gradebook.db").write_text(SECRET)
    (folder / "source").mkdir()
    (folder / "source" / "lab.ipynb").write_text(SECRET)
    (folder / "Data").mkdir()
    (folder / "Data" / "given.txt").write_text("given")
    return folder


@pytest.fixture(scope="module")
def server(course: Path) -> Iterator[ForkServer]:
    os.environ["COURSE_TOKEN"] = SECRET
    try:
        with ForkServer(
            ["numpy"],
            isolation="namespaces",
            limits=LIMITS,
            given=[(course / "Data" / "given.txt", "Data/given.txt")],
            hidden=[course, Path(pytest.__file__).parent],
        ) as running:
            yield running
    finally:
        del os.environ["COURSE_TOKEN"]


@pytest.fixture
def kernel(server: ForkServer) -> Iterator[Session]:
    with Session(server) as session:
        yield session


def honest(server: ForkServer) -> None:
    """A submission that comes afterwards is not affected."""
    with Session(server) as session:
        assert session.run("print(6 * 7)") == "42"


# 1. The network


def test_there_is_no_network_interface_but_a_dead_loopback(kernel: Session) -> None:
    lines = kernel.run("print(open('/proc/net/dev').read())").splitlines()[2:]
    assert [line.split(":")[0].strip() for line in lines] in ([], ["lo"])
    assert len(kernel.run("print(open('/proc/net/tcp').read())").splitlines()) == 1


@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6", "AF_NETLINK", "AF_PACKET"])
def test_sockets_of_other_families_are_refused(kernel: Session, family: str) -> None:
    said = kernel.run(f"import socket; socket.socket(socket.{family})")
    assert said.error.startswith("PermissionError")


def test_the_hosts_loopback_and_the_metadata_address_cannot_be_reached(kernel: Session) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        for address in (f"127.0.0.1:{port}", "169.254.169.254", "pypi.org"):
            said = kernel.run(
                f"import urllib.request; urllib.request.urlopen('http://{address}/', timeout=2)"
            )
            assert said.error.startswith("URLError")
        listener.settimeout(0)
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_the_hosts_abstract_sockets_cannot_be_reached_or_seen(kernel: Session) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        name = f"proctor-test-{os.getpid()}"
        listener.bind(f"\0{name}")
        listener.listen()
        said = kernel.run(
            f"import socket; socket.socket(socket.AF_UNIX).connect('\\0{name}')",
        )
        assert said.error.startswith("ConnectionRefusedError")
        assert name not in kernel.run("print(open('/proc/net/unix').read())")


def test_the_kernels_messages_go_over_sockets_in_its_own_folder(kernel: Session) -> None:
    assert kernel.run("print('heard')") == "heard"
    assert all(path.is_socket() for path in kernel.sockets.iterdir())
    assert len(list(kernel.sockets.iterdir())) == 4  # no heartbeat


def test_the_sockets_folder_cannot_be_written_to_or_its_sockets_replaced(kernel: Session) -> None:
    said = kernel.run(
        f"""
        import os
        folder = {filesystem.SOCKETS!r}
        names = sorted(os.listdir(folder))
        for act in (lambda: open(folder + '/more', 'w'), lambda: os.unlink(folder + '/' + names[0]),
                    lambda: os.symlink('/etc/passwd', folder + '/link'), lambda: os.chmod(folder, 0o777)):
            try:
                act()
                print('done')
            except OSError as error:
                print(error.errno)
        """
    )
    assert set(said.split()) <= {"30", "13", "1"}
    assert len(list(kernel.sockets.iterdir())) == 4  # no heartbeat


# 2. Files


def test_only_the_whitelist_is_there(kernel: Session, server: ForkServer) -> None:
    seen = set(kernel.run("import os; print(*os.listdir('/'))").split())
    prefixes = {Path(prefix).parts[1] for prefix in (sys.prefix, sys.base_prefix)}
    assert (
        seen
        <= {"usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"}
        | {
            "etc",
            "dev",
            "proc",
            "run",
            "tmp",
            "home",
        }
        | prefixes
    )
    assert kernel.run("print(*os.listdir('/home'), *os.listdir('/run'))") == "student jupyter"
    assert set(kernel.run("print(*os.listdir('/etc'))").split()) <= {
        "passwd",
        "group",
        "hosts",
        "nsswitch.conf",
        "localtime",
        "fonts",
        "alternatives",
        "ld.so.cache",
        "ld.so.conf",
        "ld.so.conf.d",
    }
    assert set(kernel.run("print(*os.listdir('/dev'))").split()) == {
        "null",
        "zero",
        "full",
        "random",
        "urandom",
        "shm",
        "fd",
        "stdin",
        "stdout",
        "stderr",
    }


def test_the_course_the_repository_and_the_home_folder_are_not_there(
    kernel: Session, course: Path
) -> None:
    places = [
        str(course),
        str(course / "gradebook.db"),
        str(HERE),
        str(Path.home() / ".ssh"),
        "/var",
    ]
    said = kernel.run(f"import os; print([p for p in {places!r} if os.path.lexists(p)])")
    assert said == "[]"
    assert "gradebook" not in kernel.run("print(open('/proc/self/mountinfo').read())")
    assert str(course) not in kernel.run("print(open('/proc/self/mountinfo').read())")


def test_a_hidden_folder_inside_the_interpreters_is_empty(kernel: Session) -> None:
    folder = str(Path(pytest.__file__).parent)
    assert kernel.run(f"import os; print(os.listdir({folder!r}))") == "[]"


def test_given_files_can_be_read_and_not_changed(kernel: Session, course: Path) -> None:
    assert kernel.run("print(open('Data/given.txt').read())") == "given"
    for act in (
        "open('Data/given.txt', 'a')",
        "os.unlink('Data/given.txt')",
        "os.rename('Data/given.txt', 'x')",
        "os.chmod('Data/given.txt', 0o666)",
    ):
        assert "Error" in kernel.run(f"import os; {act}").error
    assert (course / "Data" / "given.txt").read_text() == "given"
    honest_copy = kernel.run("print(open('Data/given.txt').read())")
    assert honest_copy == "given"


def test_interpreter_packages_and_system_are_read_only(kernel: Session) -> None:
    for folder in (f"{sys.prefix}/lib", f"{sys.base_prefix}/lib", "/usr/lib", "/", "/etc", "/dev"):
        said = kernel.run(f"open('{folder}/planted', 'w')")
        assert "Errno 30" in said.error or "Errno 13" in said.error


def test_the_scratch_space_is_bounded_in_all_its_places_together(
    kernel: Session, server: ForkServer
) -> None:
    said = kernel.run(
        """
        import os
        block, written = bytes(2**20), 0
        for folder in (os.path.expanduser('~'), '/tmp', '/dev/shm', '.'):
            for number in range(100):
                try:
                    with open(f'{folder}/{number}', 'wb') as file:
                        file.write(block)
                    written += 1
                except OSError as error:
                    print(error.errno)
                    break
        print(written)
        """
    )
    *errors, written = said.split()
    assert errors == ["28"] * 4
    assert 20 <= int(written) <= LIMITS.scratch_mb
    honest(server)


def test_no_secret_is_in_the_environment_or_the_memory(kernel: Session) -> None:
    assert SECRET not in kernel.run(
        "import os; print(os.environ, open('/proc/self/environ').read())"
    )
    said = kernel.run(
        """
        import re
        found = 0
        secret = re.compile(b'[h]unter2-471[1]')  # which does not find itself
        with open('/proc/self/maps') as maps, open('/proc/self/mem', 'rb') as memory:
            for line in maps:
                start, end = (int(part, 16) for part in line.split()[0].split('-'))
                if 'rw' in line and '[v' not in line:
                    memory.seek(start)
                    content = memory.read(end - start)
                    found += len(secret.findall(content))
        print(found)
        """
    )
    assert said == "0"


def test_nothing_names_the_examiner(kernel: Session) -> None:
    said = kernel.run(
        """
        import os, sys, getpass, socket
        print(open('/proc/self/cmdline').read(), sys.argv, getpass.getuser(), socket.gethostname(),
              [m for m in sys.modules if 'proctor' in m], dict(os.environ), os.getcwd(), sys.path)
        """
    )
    assert "proctor" not in said


# 3. Processes


def test_only_its_own_processes_are_seen(kernel: Session) -> None:
    said = kernel.run(
        "import os; print(*[p for p in os.listdir('/proc') if p.isdigit()], os.getppid())"
    )
    assert said == "1 2 1"


def test_its_parent_cannot_be_signalled_traced_or_read(kernel: Session, server: ForkServer) -> None:
    said = kernel.run(
        f"""
        import ctypes, os, signal
        for number in signal.valid_signals() - {{signal.SIGCHLD}}:
            try:
                os.kill(1, number)
            except PermissionError:
                pass
        for name in ('mem', 'environ', 'maps', 'fd', 'root', 'cwd', 'auxv'):
            try:
                (os.listdir if name in ('fd', 'root', 'cwd') else open)('/proc/1/' + name)
                print(name)
            except PermissionError:
                pass
        libc = ctypes.CDLL(None, use_errno=True)
        print(libc.ptrace(16, 1, 0, 0), ctypes.get_errno())
        for host in ({os.getpid()}, {server.pid}):
            try:
                os.kill(host, 0)
                print('host')
            except ProcessLookupError:
                pass
        """
    )
    assert said == "-1 1"
    assert kernel.run("print('alive')") == "alive"
    honest(server)


def test_killing_everything_kills_only_itself(server: ForkServer) -> None:
    with Session(server) as bystander, Session(server) as attacker:
        attacker.start(
            "import contextlib, os\n"
            "for victim in (-1, 0, 1, os.getppid(), os.getpid()):\n"
            "    with contextlib.suppress(ProcessLookupError): os.kill(victim, 9)\n"
        )
        ending = attacker.kernel.wait(20)
        assert ending is not None
        assert ending.code == "killed-outside"
        assert bystander.run("print('alive')") == "alive"
    honest(server)


def test_no_descriptor_of_the_grader_or_the_fork_server_is_inherited(kernel: Session) -> None:
    said = kernel.run(
        """
        import os, socket
        kinds, mine = set(), open('/proc/net/unix').read()
        for name in os.listdir('/proc/self/fd'):
            try:
                kind, _, inode = os.readlink('/proc/self/fd/' + name).partition(':[')
            except FileNotFoundError:
                continue  # the listing's own
            kinds.add(kind + ':[' + inode if kind == 'anon_inode' else kind)
            if kind == 'socket' and inode[:-1] not in mine:
                # Made outside: only the client's connections may be.
                with socket.socket(fileno=os.dup(int(name))) as foreign:
                    kinds.add('from outside, to ' + os.path.dirname(foreign.getsockname()))
        print(*sorted(kinds), sep='\\n')
        """
    )
    assert set(said.splitlines()) == {
        "socket",
        "pipe",
        "/dev/null",
        "anon_inode:[eventpoll]",
        "anon_inode:[eventfd]",
        f"from outside, to {filesystem.SOCKETS}",
    }


def test_the_graders_connections_do_not_lead_to_the_hosts_network_or_processes(
    kernel: Session, server: ForkServer
) -> None:
    said = kernel.run(
        """
        import array, fcntl, os, socket
        for name in os.listdir('/proc/self/fd'):
            try:
                connection = socket.socket(fileno=os.dup(int(name)))
            except OSError:
                continue  # not a socket
            with connection:
                requests = [lambda r=r: fcntl.ioctl(connection, r, array.array('B', bytes(40)))
                            for r in (0x894C, 0x8912, 0x8910)]  # the namespace; names of the devices
                requests += [lambda: connection.getsockopt(1, 77), lambda: connection.setsockopt(1, 76, 1)]
                for request in requests:
                    try:
                        request()
                        print('granted')
                    except OSError as error:
                        print(error.errno)
        """
    )
    assert set(said.split()) == {"1"}


def _alive(marker: str) -> list[str]:
    """Processes of the whole system with `marker` in their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if marker.encode() in (entry / "cmdline").read_bytes():
                    found.append(entry.name)
    return found


@pytest.mark.parametrize("isolation", ["namespaces", "process"])
def test_nothing_that_it_started_lives_on(isolation: str) -> None:
    marker = f"marker-{os.getpid()}-{isolation}"
    with ForkServer(["numpy"], isolation=isolation, limits=LIMITS) as running:
        with Session(running) as session:
            said = session.run(
                f"""
                import os, subprocess, sys, time, warnings
                warnings.simplefilter('ignore')  # 3.12 warns of a fork beside threads
                for leave in (False, True):  # a child, and one that leaves its session and its parent
                    if leave and os.fork():
                        continue
                    if leave:
                        os.setsid()
                    subprocess.Popen([sys.executable, '-c',
                        'import sys, time; print(1, flush=True); time.sleep(300)', '{marker}'],
                        stdout=subprocess.PIPE).stdout.readline()
                    if leave:
                        os._exit(0)
                os.wait()
                print('started')
                """
            )
            assert said == "started"
            assert len(_alive(marker)) == 2
        assert _alive(marker) == []


def test_the_next_kernel_finds_nothing_of_the_one_before(server: ForkServer) -> None:
    with Session(server) as first:
        said = first.run(
            """
            import os, builtins, numpy
            for folder in ('/tmp', '/dev/shm', os.path.expanduser('~'), '.', 'Data'):
                open(folder + '/left-behind', 'w').write('x')
            builtins.left_behind = numpy.left_behind = 1
            os.environ['LEFT'] = '1'
            print('left')
            """
        )
        assert said == "left"
    with Session(server) as second:
        said = second.run(
            """
            import os, builtins, numpy
            print([f for top in ('/tmp', '/dev/shm', '/home') for d, _, fs in os.walk(top) for f in fs
                   if f == 'left-behind'], hasattr(builtins, 'left_behind'), hasattr(numpy, 'left_behind'),
                  'LEFT' in os.environ)
            """
        )
        assert said == "[] False False False"


def test_kernels_at_the_same_time_do_not_see_each_other(server: ForkServer) -> None:
    with Session(server) as one, Session(server) as other:
        one.run(
            "open('/tmp/mine', 'w').write('x'); import socket; s = socket.socket(socket.AF_UNIX)"
        )
        one.run("s.bind('\\0mine'); s.listen()")
        assert (
            other.run("import os; print(os.path.exists('/tmp/mine'), '3' in os.listdir('/proc'))")
            == "False False"
        )
        said = other.run("import socket; socket.socket(socket.AF_UNIX).connect('\\0mine')")
        assert said.error.startswith("ConnectionRefusedError")


# 4. Limits


def test_an_endless_loop_ends_at_the_limit_of_cpu_time() -> None:
    limits = Limits(wall_seconds=30, cpu_seconds=1)
    with ForkServer(limits=limits) as running, Session(running) as session:
        session.start(
            "import signal; signal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass"
        )
        ending = session.kernel.wait(20)
        assert ending is not None
        assert ending.code == "cpu-time"
        assert "1 seconds of processor time" in ending.message
        assert ending.cpu_seconds >= 1


def test_many_processes_share_one_limit_of_cpu_time() -> None:
    limits = Limits(wall_seconds=30, cpu_seconds=2)
    with ForkServer(limits=limits) as running, Session(running) as session:
        session.start(
            "import os, time\n"
            "for _ in range(40):\n"
            "    if os.fork() == 0:\n"
            "        end = time.process_time() + 0.3\n"
            "        while time.process_time() < end: pass\n"
            "        os._exit(0)\n"
            "    os.wait()\n"
        )
        ending = session.kernel.wait(25)
        assert ending is not None
        assert ending.code == "cpu-time"


def test_sleeping_ends_at_the_limit_of_wall_time() -> None:
    with ForkServer(limits=Limits(wall_seconds=1)) as running, Session(running) as session:
        session.start("import time; time.sleep(100)")
        ending = session.kernel.wait(20)
        assert ending is not None
        assert ending.code == "wall-time"
        assert "longer than the 1 seconds" in ending.message


def test_too_large_an_array_is_a_memory_error_and_the_kernel_lives(kernel: Session) -> None:
    said = kernel.run("import numpy as np; np.ones((10**9,))")
    known = explain_error(said.error, LIMITS)
    assert known is not None
    assert known[0] == "memory"
    assert kernel.run("print('alive')") == "alive"


def test_memory_that_processes_fill_together_ends_them(server: ForkServer) -> None:
    with Session(server) as session:
        session.start(
            "import os, time\n"
            "for _ in range(8):\n"
            "    if os.fork() == 0:\n"
            "        block = bytearray(os.urandom(2**20) * 100)\n"
            "        time.sleep(100)\n"
            "time.sleep(100)\n"
        )
        ending = session.kernel.wait(30)
        assert ending is not None
        assert ending.code == "memory"
        assert "600 MiB" in ending.message
    honest(server)


@pytest.mark.parametrize(
    "code",
    [
        "import mmap, time; m = mmap.mmap(-1, 2**30)\n[m.write(bytes(2**20)) for _ in range(1000)]\n"
        "time.sleep(99)",
        "import ctypes\nif ctypes.CDLL(None).memfd_create(b'x', 0) < 0: raise MemoryError",
        "import ctypes\nif ctypes.CDLL(None).shmget(0, 2**30, 0o1600) < 0: raise MemoryError",
    ],
    ids=["shared mapping", "memfd", "System V"],
)
def test_memory_outside_the_heap_is_limited_too(server: ForkServer, code: str) -> None:
    with Session(server) as session:
        session.start(code)
        if "ctypes" in code:
            reply = session.client.get_shell_msg(timeout=20)
            assert reply["content"]["ename"] == "MemoryError"
        else:
            ending = session.kernel.wait(20)
            assert ending is not None
            assert ending.code == "memory"


def test_a_fork_bomb_is_bounded_and_others_go_on(server: ForkServer) -> None:
    with Session(server) as bomb, Session(server) as bystander:
        said = bomb.run(
            """
            import os, time, warnings
            warnings.simplefilter("ignore")  # 3.12 warns of threads
            started = 0
            try:
                while True:
                    if os.fork() == 0:
                        time.sleep(300)
                    started += 1
            except BlockingIOError as error:
                print(started, f'{type(error).__name__}: {error}')
            """
        )
        count, _, error = said.partition(" ")
        assert 20 < int(count) < LIMITS.processes
        known = explain_error(error, LIMITS)
        assert known is not None
        assert known[0] == "processes"
        assert (
            bystander.run(
                "import os, warnings; warnings.simplefilter('ignore'); "  # 3.12 warns of threads
                "os.wait() if os.fork() else os._exit(0); print(1)"
            )
            == "1"
        )
    honest(server)


@pytest.mark.parametrize(
    ("code", "limit"),
    [
        ("open('/tmp/large', 'wb').write(bytes(9 * 2**20))", "file-size"),
        ("[open(f'/tmp/{n}', 'wb').write(bytes(2**20)) for n in range(100)]", "scratch"),
        ("files = [open('/dev/null') for _ in range(300)]", "open-files"),
        (
            "import threading, time\n[threading.Thread(target=time.sleep, args=(9,)).start()"
            " for _ in range(100)]",
            "processes",
        ),
    ],
)
def test_each_limit_has_its_own_sentence(kernel: Session, code: str, limit: str) -> None:
    known = explain_error(kernel.run(code).error, LIMITS)
    assert known is not None
    assert known[0] == limit


def test_each_kernel_has_one_processor_and_keeps_to_it(server: ForkServer) -> None:
    cpus = sorted(os.sched_getaffinity(0))
    with Session(server, cpu=cpus[0]) as one, Session(server, cpu=cpus[-1]) as other:
        said = [k.run("import os; print(*os.sched_getaffinity(0))") for k in (one, other)]
        assert said == [str(cpus[0]), str(cpus[-1])]
        assert "PermissionError" in one.run("os.sched_setaffinity(0, {0, 1})").error


def test_an_honest_error_is_not_taken_for_a_limit() -> None:
    assert explain_error("ValueError: shapes (3,) and (4,) not aligned", LIMITS) is None
    assert explain_error("FileNotFoundError: [Errno 2] No such file", LIMITS) is None


def test_limits_cannot_be_raised(kernel: Session) -> None:
    for name in ("CPU", "NPROC", "NOFILE", "FSIZE", "DATA", "AS"):
        said = kernel.run(
            f"import resource as r; k = r.RLIMIT_{name}; r.setrlimit(k, (r.getrlimit(k)[1] + 1,) * 2)"
        )
        assert "ValueError" in said.error or "PermissionError" in said.error


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import os; os._exit(0)", "exited"),
        ("import os; os._exit(3)", "exited"),
        ("import ctypes; ctypes.string_at(0)", "crashed"),
        ("import os; os.abort()", "crashed"),
    ],
)
def test_the_ending_says_how_the_kernel_ended(server: ForkServer, code: str, expected: str) -> None:
    with Session(server) as session:
        session.start(code)
        ending = session.kernel.wait(20)
        assert ending is not None
        assert ending.code == expected
        assert ending.message.endswith("could not be marked.")


# 5. Privileges


def test_it_has_no_capability_no_new_privileges_and_a_filter(kernel: Session) -> None:
    said = kernel.run(
        """
        import os
        for task in os.listdir('/proc/self/task'):
            for line in open(f'/proc/self/task/{task}/status'):
                if line.startswith(('Cap', 'NoNewPrivs', 'Seccomp:')):
                    print(line.split()[0], int(line.split()[1], 16))
        """
    )
    assert set(said.splitlines()) == {
        "CapInh: 0",
        "CapPrm: 0",
        "CapEff: 0",
        "CapBnd: 0",
        "CapAmb: 0",
        "NoNewPrivs: 1",
        "Seccomp: 2",
    }


def test_it_is_in_namespaces_of_its_own(kernel: Session) -> None:
    names = ("user", "mnt", "pid", "net", "ipc", "uts", "cgroup")
    inside = kernel.run(
        f"import os; print(*[os.readlink(f'/proc/self/ns/{{n}}') for n in {names}])"
    )
    outside = [os.readlink(f"/proc/self/ns/{name}") for name in names]
    assert set(inside.split()).isdisjoint(outside)
    assert (
        kernel.run("print(os.getuid(), os.getgid(), os.uname().nodename)") == "1000 1000 notebook"
    )


REFUSED = {
    "unshare": (0x10000000,),
    "setns": (0, 0),
    "mount": (0, 0, 0, 0, 0),
    "umount2": (0, 0),
    "pivot_root": (0, 0),
    "chroot": (0,),
    "ptrace": (0, 0, 0, 0),
    "process_vm_readv": (1, 0, 0, 0, 0, 0),
    "pidfd_getfd": (0, 0, 0),
    "keyctl": (0, 0, 0, 0, 0),
    "add_key": (0, 0, 0, 0, 0),
    "bpf": (0, 0, 0),
    "perf_event_open": (0, 0, 0, 0, 0),
    "userfaultfd": (0,),
    "io_uring_setup": (1, 0),
    "open_by_handle_at": (0, 0, 0),
    "init_module": (0, 0, 0),
    "kexec_load": (0, 0, 0, 0),
    "personality": (0x0040000,),
    "memfd_create": (0, 0),
    "fsopen": (0, 0),
    "mount_setattr": (0, 0, 0, 0, 0),
}


def test_what_a_notebook_never_needs_is_refused(kernel: Session) -> None:
    column = ["x86_64", "aarch64"].index(os.uname().machine)
    calls = {name: (seccomp._NUMBERS[name][column], args) for name, args in REFUSED.items()}
    said = kernel.run(
        f"""
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        for name, (number, args) in {calls!r}.items():
            result = libc.syscall(number, *[ctypes.c_long(a) for a in args])
            print(name, result, ctypes.get_errno())
        """
    )
    assert said.splitlines() == [f"{name} -1 1" for name in REFUSED]


def test_no_namespace_can_be_made_by_clone(kernel: Session) -> None:
    clone, clone3 = (56, 435) if os.uname().machine == "x86_64" else (220, 435)
    said = kernel.run(
        f"""
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        for flag in (0x10000000, 0x20000000, 0x00020000, 0x40000000, 0x08000000):
            print(libc.syscall({clone}, ctypes.c_long(flag | 17), 0, 0, 0, 0), ctypes.get_errno())
        print(libc.syscall({clone3}, 0, 0), ctypes.get_errno())
        print(libc.syscall(9999), ctypes.get_errno())
        """
    )
    assert said.splitlines() == ["-1 1"] * 5 + ["-1 38"] * 2


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_is_a_program_whose_jumps_stay_inside(machine: str) -> None:
    code = seccomp.program(machine)
    assert len(code) % 8 == 0
    assert len(code) // 8 < 4096
    count = len(code) // 8
    for index in range(count):
        operation, true, false = (
            code[8 * index : 8 * index + 2],
            *code[8 * index + 2 : 8 * index + 4],
        )
        if operation != b"\x06\x00":
            assert index + 1 + max(true, false) < count
    assert code[-8:-6] == b"\x06\x00"


def test_set_user_id_programs_give_nothing(kernel: Session) -> None:
    said = kernel.run(
        "import subprocess; print(subprocess.run(['su', '-c', 'id'], capture_output=True).returncode != 0)"
    )
    assert said.splitlines()[-1] == "True"


# What keeps an honest notebook going


def test_ordinary_work_goes_on_inside(kernel: Session) -> None:
    said = kernel.run(
        """
        import multiprocessing, os, subprocess, tempfile, threading, time, numpy as np
        print(subprocess.run(['sh', '-c', 'echo shell'], capture_output=True, text=True).stdout.strip())
        print(float(np.linalg.norm(np.ones((200, 200)) @ np.ones((200, 200)))))
        with tempfile.NamedTemporaryFile() as file:
            file.write(b'x')
        with multiprocessing.get_context('fork').Pool(2) as pool:
            print(pool.map(abs, [-1, -2]))
        print(os.path.expanduser('~'), time.localtime().tm_year > 2000, os.cpu_count() >= 1)
        """
    )
    assert said.splitlines() == ["shell", "40000.0", "[1, 2]", "/home/student True True"]


def test_an_interrupt_stops_a_loop_and_the_kernel_lives(kernel: Session) -> None:
    said = kernel.run(
        "print('looping', flush=True)\nwhile True: pass",
        heard=lambda text: kernel.kernel.signal(signal.SIGINT),
    )
    assert said.error.startswith("KeyboardInterrupt")
    assert kernel.run("print('alive')") == "alive"


# Where it cannot work


def test_this_system_can_isolate() -> None:
    assert probe.missing() == []


def test_a_system_without_user_namespaces_is_told_how_to_switch_them_on() -> None:
    script = (
        "import pathlib, sys; sys.path.insert(0, sys.argv[1]); "
        "from proctor.sandbox import probe, libc_calls; "
        "import os; u, g = os.geteuid(), os.getegid(); libc_calls.unshare(libc_calls.CLONE_NEWUSER); "
        "libc_calls.map_ids(0, 0, u, g); "
        "pathlib.Path('/proc/sys/user/max_user_namespaces').write_text('0'); "
        "print('\\n'.join(probe.missing()))"
    )
    said = subprocess.run(
        [sys.executable, "-c", script, str(HERE.parent)], capture_output=True, text=True, check=True
    ).stdout
    assert "sysctl -w user.max_user_namespaces" in said


def test_advice_names_the_container_where_its_filter_is_in_the_way() -> None:
    told = probe.advice("root", 1, "mount proc on /x: Operation not permitted")
    assert "systempaths=unconfined" in " ".join(told)
    assert "Linux 5.14" in " ".join(
        probe.advice("root", 38, "mount_setattr of /x: not implemented")
    )


def test_a_given_file_outside_the_working_folder_is_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(ValueError, match="working folder"),
        ForkServer(given=[(Path(__file__), "../out.txt")]),
    ):
        pass


def test_all_of_this_holds_for_an_ordinary_user_too(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        return  # then this very run was an ordinary user's
    with tempfile.TemporaryDirectory(prefix="user-") as home:
        os.chown(home, 4321, 4321)
        done = subprocess.run(
            [
                sys.executable,
                str(HERE / "support" / "ordinary_user.py"),
                home,
                sys.executable,
                "-m",
                "pytest",
                str(HERE / "test_sandbox.py"),
                "-q",
                "-x",
                "-p",
                "no:cacheprovider",
                f"--basetemp={home}/pytest",
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd=HERE.parent,
        )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
