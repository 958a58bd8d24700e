"""The project file: everything a person did and every fact about their footage, in one database."""
