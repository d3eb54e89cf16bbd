"""The page of the report, in a real browser."""

import base64
import io
import json
import shutil
import subprocess

import numpy as np
import pytest

from diffusionnet_blender.cli.library import records
from diffusionnet_blender.cli.library.records import Records
from diffusionnet_blender.cli.library.report import write_report
from diffusionnet_blender.cli.library.storage import Folder

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
pytestmark = pytest.mark.skipif(not BROWSER, reason="Chromium is not installed")
image = pytest.importorskip("PIL.Image")


@pytest.fixture
def page(tmp_path):
    """The report of a small library, with pictures of one colour."""
    folder = Folder(str(tmp_path))
    kept = Records(folder)
    for number in range(150):
        pictures = []
        if number < 2:
            data = io.BytesIO()
            image.new("RGB", (96, 128), (255, 0, 255)).save(data, "WEBP", lossless=True)
            folder.write(f"p{number}.webp", data.getvalue())
            pictures = [f"p{number}.webp"]
        kept.add(
            {
                "name": f"item{number:03}",
                "file": "x",
                "key": "k",
                "status": records.DONE,
                "lowest_confidence": 0.5 + number / 1000,
                "confidence": 0.9,
                "took": 1.0,
                "vertices": 1000 - number,
                "pictures": pictures,
            }  # fmt: skip
        )
    error = {"class": "E", "message": "It hangs (x)", "fix": "Wait.", "retry": True}
    kept.add({"name": "bad", "file": "x", "key": "k", "status": records.FAILED, "errors": [error]})
    kept.merge()
    write_report(folder, "segment")
    return tmp_path / "report.html"


def browse(page, *options, script=""):
    """Open the page, with a script at its end; what the browser prints."""
    at_end = page.with_name("scripted.html")
    at_end.write_text(page.read_text().replace("</body>", f"<script>{script}</script></body>"))
    done = subprocess.run(
        [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1200,900", *options,
         at_end.as_uri()],
        capture_output=True, text=True, timeout=100, check=True,
    )  # fmt: skip
    return done.stdout


def told(page, script):
    """Value of an expression in the page."""
    wrapped = f"document.title = 'told ' + btoa(JSON.stringify((() => {{ {script} }})()));"
    dom = browse(page, "--dump-dom", script=wrapped)
    return json.loads(base64.b64decode(dom.split("<title>told ")[1].split("</title>")[0]))


NAMES = "[...document.querySelectorAll('td.name')].map((cell) => cell.textContent)"


@pytest.mark.slow
def test_the_page_is_drawn(page, tmp_path):
    picture = tmp_path / "page.png"
    browse(page, f"--screenshot={picture}")
    pixels = np.asarray(image.open(picture).convert("RGB")).astype(int)
    magenta = (pixels[..., 0] > 240) & (pixels[..., 1] < 20) & (pixels[..., 2] > 240)
    assert magenta.sum() > 2 * 60 * 80, "both pictures are there"
    assert (pixels.sum(axis=2) < 200).mean() > 0.002, "and dark text"


@pytest.mark.slow
def test_the_page_sorts_and_filters(page):
    found = told(
        page,
        f"""
        const names = () => {NAMES};
        const press = (title) => [...document.querySelectorAll('th button')]
            .find((button) => button.textContent === title).click();
        const search = (text) => {{
            byId('search').value = text;
            byId('search').dispatchEvent(new Event('input'));
        }};
        const first = names();
        press('vertices');
        const fewest = names()[0];
        press('vertices');
        const most = names()[0];
        search('item14');
        const filtered = names().length;
        search('');
        byId('status').value = 'failed';
        byId('status').dispatchEvent(new Event('change'));
        const failed = names();
        byId('status').value = '';
        document.querySelector('#reasons button').click();
        const grouped = names();
        return {{ first, fewest, most, filtered, failed, grouped,
            reasons: document.getElementById('reasons').innerText }};
        """,
    )
    assert found["first"][:2] == ["bad", "item000"]
    assert len(found["first"]) == 100
    assert (found["fewest"], found["most"]) == ("item149", "item000")
    assert found["filtered"] == 10
    assert found["failed"] == found["grouped"] == ["bad"]
    assert "It hangs" in found["reasons"]
