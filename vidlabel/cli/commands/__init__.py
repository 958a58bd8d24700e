"""One module a command, each with ``run(arguments, output) -> int``; loaded only when it is asked for."""
