"""What tables come as, a file each; `registry.FORMATS` is the only list of endings."""
