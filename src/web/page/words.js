// Every sentence of the page, in English and Indonesian.

import { preference, prefer } from "./storage.js";

const SENTENCES = {
  logIn: ["Log in", "Masuk"],
  register: ["Register", "Daftar"],
  user: ["User name", "Nama pengguna"],
  password: ["Password", "Kata sandi"],
  remember: ["Remember me on this device", "Ingat saya di perangkat ini"],
  noAccount: ["New here?", "Baru di sini?"],
  hasAccount: ["Have an account?", "Sudah punya akun?"],
  createAccount: ["Create an account", "Buat akun"],
  nameRule: ["Letters, digits, _ - and . (at most 32)", "Huruf, angka, _ - dan . (paling banyak 32)"],
  passwordRule: ["No spaces", "Tanpa spasi"],
  loggedOut: ["You were logged out.", "Anda telah keluar."],
  connecting: ["Connecting…", "Menghubungkan…"],
  offline: ["No connection. Next try in {0} s.", "Tidak ada koneksi. Dicoba lagi dalam {0} dtk."],
  trying: ["No connection. Trying now…", "Tidak ada koneksi. Sedang dicoba…"],
  now: ["Now", "Sekarang"],
  conversations: ["Conversations", "Percakapan"],
  onlineNow: ["Online now", "Sedang daring"],
  everyone: ["Everyone", "Semua orang"],
  everyoneHint: ["Every user of this server reads this.", "Semua pengguna server ini membacanya."],
  group: ["Group", "Grup"],
  online: ["online", "daring"],
  offlineState: ["offline", "luring"],
  blockedState: ["blocked", "diblokir"],
  notMember: ["You are not in this group.", "Anda tidak ada di grup ini."],
  you: ["You", "Anda"],
  newConversation: ["New conversation or group", "Percakapan atau grup baru"],
  menu: ["Conversations", "Percakapan"],
  details: ["Details", "Rincian"],
  settings: ["Settings", "Pengaturan"],
  close: ["Close", "Tutup"],
  cancel: ["Cancel", "Batal"],
  find: ["Find a conversation", "Cari percakapan"],
  findHint: ["Name of a person or group", "Nama orang atau grup"],
  nothingFound: ["Nothing found", "Tidak ditemukan"],
  writeTo: ["Message to {0}", "Pesan untuk {0}"],
  send: ["Send", "Kirim"],
  tooLong: ["Too long by {0} bytes", "Kelebihan {0} byte"],
  sending: ["sending…", "mengirim…"],
  pending: ["waiting for the connection", "menunggu koneksi"],
  failed: ["not sent", "tidak terkirim"],
  retry: ["Try again", "Coba lagi"],
  discard: ["Discard", "Buang"],
  notDelivered: ["waiting for the other server", "menunggu server lain"],
  several: ["Send {0} messages?", "Kirim {0} pesan?"],
  severalHint: ["Each line becomes a message.", "Setiap baris menjadi satu pesan."],
  newMessages: ["New messages", "Pesan baru"],
  newBelow: ["{0} new", "{0} baru"],
  toNewest: ["To the newest message", "Ke pesan terbaru"],
  today: ["Today", "Hari ini"],
  yesterday: ["Yesterday", "Kemarin"],
  beginning: ["This is where it begins.", "Awal percakapan."],
  loading: ["Loading…", "Memuat…"],
  empty: ["Nothing was said yet.", "Belum ada pesan."],
  announced: ["{0} new messages", "{0} pesan baru"],
  unread: ["{0} unread", "{0} belum dibaca"],
  messages: ["Messages", "Pesan"],
  talkTo: ["Talk to a person", "Bicara dengan seseorang"],
  talkToHint: ["A name, or name@realm for another server", "Nama, atau nama@realm untuk server lain"],
  start: ["Start", "Mulai"],
  joinGroup: ["Join a group", "Gabung grup"],
  createGroup: ["Create a group", "Buat grup"],
  groupName: ["Name of the group", "Nama grup"],
  groupPassword: ["Password (may be empty)", "Kata sandi (boleh kosong)"],
  join: ["Join", "Gabung"],
  create: ["Create", "Buat"],
  members: ["Members", "Anggota"],
  owner: ["owner", "pemilik"],
  leave: ["Leave the group", "Keluar dari grup"],
  leaveQuestion: ["Leave {0}?", "Keluar dari {0}?"],
  endGroup: ["End the group", "Bubarkan grup"],
  endGroupQuestion: ["End {0} for everybody?", "Bubarkan {0} untuk semua?"],
  kick: ["Put out", "Keluarkan"],
  kickQuestion: ["Put {0} out of {1}?", "Keluarkan {0} dari {1}?"],
  changePassword: ["Change the password", "Ubah kata sandi"],
  newPassword: ["New password (empty: none)", "Kata sandi baru (kosong: tanpa)"],
  save: ["Save", "Simpan"],
  saved: ["Saved", "Tersimpan"],
  block: ["Block", "Blokir"],
  unblock: ["Unblock", "Buka blokir"],
  fullName: ["Full name", "Nama lengkap"],
  country: ["Country", "Negara"],
  lastSeen: ["Last seen", "Terakhir terlihat"],
  realm: ["Realm", "Realm"],
  realms: ["Realms", "Realm"],
  state: ["State", "Keadaan"],
  up: ["linked", "terhubung"],
  down: ["not linked: messages wait here", "tidak terhubung: pesan menunggu di sini"],
  home: ["this server", "server ini"],
  name: ["another name of this server", "nama lain server ini"],
  waiting: ["{0} waiting", "{0} menunggu"],
  sessions: ["Sessions", "Sesi"],
  thisSession: ["this one", "yang ini"],
  sessionOf: ["{0}, last used {1}", "{0}, terakhir dipakai {1}"],
  end: ["End", "Akhiri"],
  logOut: ["Log out", "Keluar"],
  language: ["Language", "Bahasa"],
  notifications: ["Desktop notifications", "Notifikasi desktop"],
  attention: ["Notifications", "Notifikasi"],
  countInTitle: ["Unread count in the title", "Jumlah belum dibaca di judul"],
  notAllowed: ["The browser does not allow it.", "Peramban tidak mengizinkannya."],
  keys: ["Keys", "Tombol"],
  keySwitch: ["Find a conversation", "Cari percakapan"],
  keyNext: ["Next or previous conversation", "Percakapan berikutnya atau sebelumnya"],
  keyEscape: ["Close, or back to writing", "Tutup, atau kembali menulis"],
  keyLine: ["New line (each becomes a message)", "Baris baru (masing-masing satu pesan)"],
  linkedRealms: ["Other servers", "Server lain"],
  noRealms: ["This server is linked to no other.", "Server ini tidak terhubung ke server lain."],
};

// What the server's error codes mean; the server's own detail for those that are not here.
const ERRORS = {
  user_not_found: ["There is no user of that name.", "Tidak ada pengguna dengan nama itu."],
  wrong_password: ["The password is wrong.", "Kata sandi salah."],
  user_exists: ["That name is taken.", "Nama itu sudah dipakai."],
  group_exists: ["A group of that name exists.", "Grup dengan nama itu sudah ada."],
  group_not_found: ["There is no group of that name.", "Tidak ada grup dengan nama itu."],
  already_member: ["You are in that group already.", "Anda sudah ada di grup itu."],
  not_member: ["You are not in that group.", "Anda tidak ada di grup itu."],
  blocked: ["This user does not want to hear from you.", "Pengguna ini tidak mau menerima pesan Anda."],
  forbidden: ["This is not allowed here.", "Ini tidak diizinkan di sini."],
  throttled: ["Too many wrong passwords. Wait a minute.", "Terlalu sering salah. Tunggu semenit."],
  busy: ["The server is busy. Try again.", "Server sibuk. Coba lagi."],
  storage_failed: ["The server could not store it. Try again later.", "Server gagal menyimpan. Coba lagi nanti."],
  unknown_outcome: ["It is not known whether it was sent.", "Tidak diketahui apakah terkirim."],
  realm_not_found: ["This server knows no such realm.", "Server ini tidak mengenal realm itu."],
  realm_queue_full: ["Too much waits for that server.", "Terlalu banyak yang menunggu untuk server itu."],
  realm_refused: ["The other server refused it.", "Server lain menolaknya."],
  limit_reached: ["A limit of the server is reached.", "Batas server tercapai."],
  lost: ["The connection broke. Try again.", "Koneksi terputus. Coba lagi."],
};

export const LANGUAGES = { en: "English", id: "Bahasa Indonesia" };

export const language = chosen();
const PLACE = Object.keys(LANGUAGES).indexOf(language);

function chosen() {
  const preferred = preference("language");
  if (preferred in LANGUAGES) return preferred;
  return navigator.languages.some((tag) => /^(id|ms|jv|su)\b/i.test(tag)) ? "id" : "en";
}

export function chooseLanguage(tag) {
  prefer("language", tag);
  location.reload();
}

export function say(key, ...values) {
  return SENTENCES[key][PLACE].replace(/\{(\d)\}/g, (_, place) => values[place]);
}

// What a refused request means, for people.
export function errorOf(reply) {
  return ERRORS[reply.code]?.[PLACE] ?? reply.detail ?? reply.message ?? reply.code;
}

const CLOCK = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat(language, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const SHORT = new Intl.DateTimeFormat(language, { day: "numeric", month: "short" });
const MOMENT = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });

export const clock = (time) => CLOCK.format(new Date(time));
export const moment = (time) => MOMENT.format(new Date(time));

export function day(time) {
  const date = new Date(time);
  if (isSameDay(date, new Date())) return say("today");
  const yesterday = new Date();
  yesterday.setDate(yesterday.getDate() - 1);
  return isSameDay(date, yesterday) ? say("yesterday") : DAY.format(date);
}

// The clock today, the day before that.
export function brief(time) {
  const date = new Date(time);
  return isSameDay(date, new Date()) ? clock(date) : SHORT.format(date);
}

export function isSameDay(a, b) {
  return new Date(a).toDateString() === new Date(b).toDateString();
}
