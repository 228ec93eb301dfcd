"""At the centre: receive, check, keep in the journal, write to the store; the register of assets."""
