"""A folder that people edit while programs look at it."""

from pathlib import Path

from ingest.folder_signature import folder_signature


def test_it_is_another_one_when_a_file_is_saved_comes_or_goes(tmp_path: Path) -> None:
    file = tmp_path / "assets.csv"
    seen = {folder_signature(tmp_path)}
    for text in ("id", "id,kind"):
        file.write_text(text, encoding="utf-8")
        seen.add(folder_signature(tmp_path))
    assert folder_signature(tmp_path) in seen
    (tmp_path / "plans.csv").touch()
    seen.add(folder_signature(tmp_path))
    file.unlink()
    seen.add(folder_signature(tmp_path))
    assert len(seen) == 5


def test_what_does_not_fit_the_pattern_is_not_looked_at(tmp_path: Path) -> None:
    (tmp_path / "alarms.toml").touch()
    (tmp_path / "old.csv").mkdir()
    assert folder_signature(tmp_path, "*.csv") == ()


def test_a_file_that_is_gone_when_it_is_looked_at_is_none(tmp_path: Path) -> None:
    """A link to nothing is listed, and cannot be looked at."""
    (tmp_path / "points.csv").symlink_to(tmp_path / "nowhere")
    assert folder_signature(tmp_path) == ()


def test_a_folder_that_is_not_there_has_no_files(tmp_path: Path) -> None:
    assert folder_signature(tmp_path / "register") == ()
