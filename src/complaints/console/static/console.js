// The scripts of every page. A module for each part; a page without them can still be read.

import { readPasswordLink } from "./password.js";
import { keepZone } from "./zone.js";
import { watchSession } from "./session.js";

keepZone();
readPasswordLink();
watchSession();
