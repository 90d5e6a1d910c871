// The scripts of every page. A module for each part; a page without them can still be read.

import { keepZone } from "./zone.js";
import { watchSession } from "./session.js";
import { watchTicks } from "./ticks.js";

keepZone();
watchSession();
watchTicks();
