"""One module per page: `router` for those who have signed in, `open_router` for the doors that anyone may knock at."""
