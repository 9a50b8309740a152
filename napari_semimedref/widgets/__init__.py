"""The docks and dialogs and what they are made of, all of Qt. They talk to the workspace, never to each other."""
