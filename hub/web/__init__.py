"""The shell all rooms of the portal share: application, login through the hub, layout, locales."""
