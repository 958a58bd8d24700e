"""The networks, their files and the devices they run on. Only this floor and the one above know torch."""
