"""Runs beside Blender's window, outside of it: an X server, real clicks and keys, pictures.

python3 screen.py FOLDER SIZE SECONDS COMMAND...

Starts the command on a screen of its own and does what it asks for: a file FOLDER/ask.json, such
as {"do": "click", "x": 100, "y": 200}, is done and then removed. Ends with the command's status,
and ends a command that takes longer than SECONDS.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# Of an OpenGL that runs on the processor, wherever this runs.
SOFTWARE = {"LIBGL_ALWAYS_SOFTWARE": "1", "GALLIUM_DRIVER": "llvmpipe", "LP_NUM_THREADS": "1"}


def main() -> int:
    folder, size, limit, command = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]), sys.argv[4:]
    with tempfile.TemporaryDirectory() as runtime:
        os.environ.update(SOFTWARE, XDG_RUNTIME_DIR=runtime)
        server, display = start_server(size)
        os.environ["DISPLAY"] = display
        try:
            with open(folder / "blender.log", "wb") as log:
                blender = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
            return serve(blender, folder, limit)
        finally:
            server.terminate()
            server.wait()


def start_server(size: str) -> tuple[subprocess.Popen, str]:
    """An X server on a display that it chooses, and its name."""
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{size}x24", "-nolisten", "tcp"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as told:
        return server, f":{told.readline().strip()}"


def serve(blender: subprocess.Popen, folder: Path, limit: float) -> int:
    asked = folder / "ask.json"
    end = time.monotonic() + limit
    while blender.poll() is None:
        if asked.exists():
            do(json.loads(asked.read_text()), folder)
            asked.unlink()
        if time.monotonic() > end:
            picture(folder / "stuck.png")
            blender.kill()
            print(f"Blender did not end within {limit:.0f} s", flush=True)
        time.sleep(0.01)
    return blender.returncode


def do(what: dict, folder: Path) -> None:
    match what["do"]:
        case "move":
            run("xdotool", "mousemove", what["x"], what["y"])
        case "click":
            run("xdotool", "mousemove", what["x"], what["y"], "sleep", 0.2, "click", 1)
        case "scroll":
            run("xdotool", "click", "--repeat", what["lines"], "--delay", 50, 5)
        case "key":
            run("xdotool", "key", what["key"])
        case "picture":
            picture(folder / what["name"])


def picture(path: Path) -> None:
    run("import", "-window", "root", path)


def run(*command) -> None:
    subprocess.run([str(word) for word in command], check=True)


if __name__ == "__main__":
    sys.exit(main())
