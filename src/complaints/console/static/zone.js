// Tells the server the time zone of the browser, by a cookie. The preference of a user goes before it.

export function keepZone() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const known = document.cookie.split("; ").find((one) => one.startsWith("console-zone="));
  if (known === `console-zone=${zone}`) return;
  document.cookie = `console-zone=${zone}; Path=/console; Max-Age=31536000; SameSite=Lax`;
  if (!known && document.querySelector("time")) location.reload();
}
