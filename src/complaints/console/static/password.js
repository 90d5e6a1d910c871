// A link to set a password has its token in the fragment, which no server sees. It goes into the form.

export function readPasswordLink() {
  const field = document.querySelector('form[action="/console/password"] input[name="token"]');
  if (!field || !location.hash) return;
  field.value = decodeURIComponent(location.hash.slice(1));
  history.replaceState(null, "", location.pathname);
  document.querySelector('input[name="password"]').focus();
}
