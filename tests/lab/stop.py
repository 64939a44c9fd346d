"""python3 -m tests.lab.stop: stops every run of the lab that was kept or abandoned (`./dev clean`)."""

from tests.lab import run


def main() -> None:
    for directory in sorted(run.RUNS.iterdir()) if run.RUNS.is_dir() else []:
        if not (directory / "owner").exists():
            continue
        if (directory / "keep").exists() or run.abandoned(directory):
            print(f"stopping {directory.name}: " + (", ".join(name for _, name in run.living(directory)) or "nothing runs"))
            run.stop(directory)


if __name__ == "__main__":
    main()
