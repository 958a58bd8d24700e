"""The window: QtWidgets over the services. Nothing here knows SQL, decoders or networks."""
