"""What the window knows and does, without widgets: built on QtCore, QtGui and QtMultimedia only."""

from vidlabel.services.pyside_constants import keep_constants_alive

keep_constants_alive()
