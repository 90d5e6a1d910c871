// The scripts of every page. A module for each part; a page without them can still be read.

import { watchDrafts } from "./drafts.js";
import { watchForms } from "./forms.js";
import { watchSession } from "./session.js";
import { watchTemplates } from "./templates.js";
import { keepZone } from "./zone.js";

keepZone();
watchSession();
watchForms();
watchDrafts();
watchTemplates();
