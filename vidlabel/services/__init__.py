"""What the window knows and does, without widgets: built on QtCore, QtGui and QtMultimedia only."""

from vidlabel.services.pyside_true import keep_true_alive

keep_true_alive()
