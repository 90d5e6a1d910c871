// The scripts of every page. A module for each part; a page without them can still be read.

import { countClocks } from "./clocks.js";
import { watchDrafts } from "./drafts.js";
import { watchForms } from "./forms.js";
import { watchKeys } from "./keys.js";
import { keepLive } from "./live.js";
import { watchDialogs } from "./palette.js";
import { watchSession } from "./session.js";
import { watchTicks } from "./ticks.js";
import { keepZone } from "./zone.js";

// Parts that few pages have are loaded with those pages.
const PARTS = [
  [/^\/console\/(new|follow-ups)/, "./intake.js", "watchIntake"],
  [/^\/console\/complaints\//, "./templates.js", "watchTemplates"],
  [/^\/console\/complaints\//, "./upload.js", "watchUploads"],
  [/^\/console\/password/, "./password.js", "readPasswordLink"],
];

keepZone();
watchSession();
watchForms();
watchDrafts();
watchTicks();
watchKeys();
watchDialogs();
countClocks();
keepLive();
for (const [path, file, start] of PARTS) {
  if (path.test(location.pathname)) import(file).then((part) => part[start]());
}
