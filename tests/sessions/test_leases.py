import asyncio
import os
import subprocess
import sys

from memwrap.sessions.leases import is_dead, new_token, take_stand


def token_of_another_process():
    code = "from memwrap.sessions.leases import new_token; print(new_token())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_tokens_differ():
    """No two turns have the same token, in one process or in two."""
    tokens = {new_token() for _ in range(100)} | {token_of_another_process()}
    assert len(tokens) == 101


async def test_own_turn_lives_as_long_as_it_is_held():
    """A turn of the process that asks is dead when nothing holds it any more."""
    token = new_token()
    stand = take_stand(token)
    assert not is_dead(token)
    del stand
    assert is_dead(token)


def test_own_turn_dies_with_its_loop():
    """A turn of the process that asks is dead when its event loop is closed."""
    token = new_token()

    async def begin():
        return take_stand(token), is_dead(token)

    stand, was_dead = asyncio.run(begin())
    assert (was_dead, is_dead(token), stand.is_lost) == (False, True, True)


def test_ended_process_is_dead():
    """A process of this machine that has ended is dead."""
    assert is_dead(token_of_another_process())


def test_reused_process_id_is_told_by_its_start():
    """A token whose process id now belongs to a later process is that of a dead one."""
    host, process, number = new_token().split("/")
    assert process.split("-")[0] == str(os.getpid())
    assert is_dead(f"{host}/{os.getpid()}-1/{number}")


def test_other_machines_are_not_judged():
    """Whether a process of another machine lives cannot be known here."""
    _, process, number = token_of_another_process().split("/")
    assert not is_dead(f"another.4026531836/{process}/{number}")
    assert not is_dead("something else")


def test_zombie_is_dead():
    """A process that has ended is dead even before anybody has asked after it."""
    code = "from memwrap.sessions.leases import new_token; print(new_token(), flush=True)"
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    token = child.stdout.readline().strip()
    child.stdout.read()  # the end of its output is the end of the process, or close to it
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert is_dead(token)
    child.wait()
    child.stdout.close()


def test_forked_child_has_its_own_token():
    """A forked child is not taken for its parent."""
    read, write = os.pipe()
    if (pid := os.fork()) == 0:
        os.write(write, new_token().encode())
        os._exit(0)
    os.close(write)
    token = os.read(read, 1000).decode()
    os.close(read)
    os.waitpid(pid, 0)
    assert token.split("/")[1] != new_token().split("/")[1]
