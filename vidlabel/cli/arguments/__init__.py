"""The arguments of the commands, by groups; light on purpose: ``vidlabel --help`` answers at once."""
