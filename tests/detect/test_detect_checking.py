import json

from box_folders import voc

from mien.cli import main


def test_check_says_what_is_wrong_and_what_is_made_of_it(tmp_path, capsys):
    root = voc(tmp_path, {"a": [("cat", 5, 5, 20, 20), ("cat", 30, 5, 20, 20)], "b": [("cat", 5, 5, 60, 20)]})
    assert main(["detect", "check", str(root)]) == 0
    out = capsys.readouterr().out
    assert "2 pictures, 2 boxes; not divided" in out
    assert "error: 1 x no area" in out
    assert "a.png: cat 29, 4, 20, 20" in out
    assert "1 errors, 1 warnings" in out
    assert main(["detect", "check", str(root), "--json"]) == 0
    table = json.loads(capsys.readouterr().out)
    assert [one["kind"] for one in table["faults"]] == ["no area", "beyond"]
    assert main(["detect", "check", str(tmp_path / "nowhere")]) == 2
