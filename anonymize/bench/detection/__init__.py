"""How much of what identifies persons and firms the detector finds in free text, measured in the open."""
