// The scripts of every page. A module for each part; a page without them can still be read.

import { countClocks } from "./clocks.js";
import { watchDrafts } from "./drafts.js";
import { watchForms } from "./forms.js";
import { watchIntake } from "./intake.js";
import { watchKeys } from "./keys.js";
import { keepLive } from "./live.js";
import { watchDialogs } from "./palette.js";
import { readPasswordLink } from "./password.js";
import { watchSession } from "./session.js";
import { watchTemplates } from "./templates.js";
import { watchTicks } from "./ticks.js";
import { watchUploads } from "./upload.js";
import { keepZone } from "./zone.js";

keepZone();
watchSession();
watchForms();
watchDrafts();
watchTemplates();
watchIntake();
watchUploads();
watchTicks();
watchKeys();
watchDialogs();
readPasswordLink();
countClocks();
keepLive();
