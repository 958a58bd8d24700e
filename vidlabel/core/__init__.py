"""The words of vidlabel as frozen values: no Qt, no torch, no SQL. Everything else stands on this."""
