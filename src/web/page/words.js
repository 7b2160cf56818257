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
  invite: ["Invite code", "Kode undangan"],
  inviteHint: ["An administrator of this server gives it to you.", "Diberikan oleh administrator server ini."],
  logInHint: ["Log in to this server.", "Masuk ke server ini."],
  registerHint: ["Make an account on this server.", "Buat akun di server ini."],
  connecting: ["Connecting…", "Menghubungkan…"],
  noConnection: ["No connection.", "Tidak ada koneksi."],
  nextTry: ["Next try in {0}", "Dicoba lagi dalam {0}"],
  againIn: ["Again in {0}", "Lagi dalam {0}"],
  tryAgainNow: ["You can try again now.", "Sekarang dapat dicoba lagi."],
  seconds: ["{0} s", "{0} dtk"],
  minutes: ["{0} min", "{0} mnt"],
  hours: ["{0} h", "{0} jam"],
  now: ["Now", "Sekarang"],
  conversations: ["Conversations", "Percakapan"],
  onlineNow: ["Online now", "Sedang daring"],
  everyone: ["Everyone", "Semua orang"],
  everyoneHint: ["Every user of this server reads this.", "Semua pengguna server ini membacanya."],
  server: ["This server", "Server ini"],
  serverHint: ["What the server tells you. It cannot be answered.", "Pemberitahuan server. Tidak dapat dibalas."],
  group: ["Group", "Grup"],
  memberCount: ["{0} members", "{0} anggota"],
  oneMember: ["1 member", "1 anggota"],
  online: ["online", "daring"],
  offlineState: ["offline", "luring"],
  blockedState: ["blocked", "diblokir"],
  notMember: ["You are not in this group.", "Anda tidak ada di grup ini."],
  you: ["You", "Anda"],
  newConversation: ["New conversation", "Percakapan baru"],
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
  queued: ["waiting for the one before", "menunggu pesan sebelumnya"],
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
  talkToName: ["Talk to {0}…", "Bicara dengan {0}…"],
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
  handOver: ["Whoever has been a member for longest becomes the owner.", "Anggota terlama menjadi pemilik."],
  leaveQuestion: ["Leave {0}?", "Keluar dari {0}?"],
  endGroup: ["End the group", "Bubarkan grup"],
  endGroupQuestion: ["End {0} for everybody?", "Bubarkan {0} untuk semua?"],
  kick: ["Remove", "Keluarkan"],
  kickQuestion: ["Remove {0} from {1}?", "Keluarkan {0} dari {1}?"],
  groupPasswordTitle: ["Password of the group", "Kata sandi grup"],
  newGroupPassword: ["New password (empty: none)", "Kata sandi baru (kosong: tanpa)"],
  profile: ["Your name", "Nama Anda"],
  fullNameHint: ["Shown beside {0} in new messages", "Tampil di samping {0} pada pesan baru"],
  changePassword: ["Password", "Kata sandi"],
  oldPassword: ["Current password", "Kata sandi sekarang"],
  newPassword: ["New password", "Kata sandi baru"],
  passwordEnds: ["All your other sessions end.", "Semua sesi Anda yang lain berakhir."],
  save: ["Save", "Simpan"],
  saved: ["Saved", "Tersimpan"],
  blockList: ["Blocked people", "Orang yang diblokir"],
  noBlocks: ["You block nobody.", "Tidak ada yang Anda blokir."],
  unregister: ["Delete the account", "Hapus akun"],
  unregisterHint: [
    "You leave all groups, and nobody can use the name again. What you said stays with those you said it to.",
    "Anda keluar dari semua grup, dan nama itu tidak dapat dipakai lagi. Pesan Anda tetap ada pada penerimanya.",
  ],
  unregisterQuestion: ["Delete the account {0} for good?", "Hapus akun {0} selamanya?"],
  block: ["Block", "Blokir"],
  unblock: ["Unblock", "Buka blokir"],
  fullName: ["Full name", "Nama lengkap"],
  country: ["Country", "Negara"],
  lastSeen: ["Last seen", "Terakhir terlihat"],
  realm: ["Realm", "Realm"],
  state: ["State", "Keadaan"],
  up: ["linked", "terhubung"],
  down: ["not linked: messages wait here", "tidak terhubung: pesan menunggu di sini"],
  home: ["this server", "server ini"],
  name: ["another name of this server", "nama lain server ini"],
  waiting: ["{0} waiting", "{0} menunggu"],
  sessions: ["Sessions", "Sesi"],
  thisSession: ["this one", "yang ini"],
  sessionOpened: ["Since {0}", "Sejak {0}"],
  sessionUsed: ["last used {0}", "terakhir dipakai {0}"],
  end: ["End", "Akhiri"],
  logOut: ["Log out", "Keluar"],
  language: ["Language", "Bahasa"],
  notifications: ["Desktop notifications", "Notifikasi desktop"],
  browser: ["This browser", "Peramban ini"],
  countInTitle: ["Unread count in the title", "Jumlah belum dibaca di judul"],
  notAllowed: ["The browser does not allow it.", "Peramban tidak mengizinkannya."],
  keys: ["Keys", "Tombol"],
  keySwitch: ["Find a conversation", "Cari percakapan"],
  keyNext: ["Next or previous conversation", "Percakapan berikutnya atau sebelumnya"],
  keyPage: ["Earlier or later messages", "Pesan sebelumnya atau berikutnya"],
  keyEscape: ["Close, or back to writing", "Tutup, atau kembali menulis"],
  keyComplete: ["Complete a name", "Lengkapi nama"],
  keyLine: ["New line (each becomes a message)", "Baris baru (masing-masing satu pesan)"],
  servers: ["Servers", "Server"],
  addRealm: ["Link a server", "Hubungkan server"],
  add: ["Add", "Tambah"],
  remove: ["Remove", "Hapus"],
  removeQuestion: ["Remove {0}?", "Hapus {0}?"],
  removeHint: ["Messages that wait for it are lost.", "Pesan yang menunggu di sana hilang."],
  realmName: ["Name here", "Nama di sini"],
  realmNameHint: ["People there are name@realm.", "Orang di sana disebut nama@realm."],
  host: ["Host", "Host"],
  hostHint: ["Empty: one more name of this server", "Kosong: nama lain server ini"],
  port: ["Port", "Port"],
  keyOf: ["key {0}", "kunci {0}"],
  since: ["since {0}", "sejak {0}"],
};

// Why a session ended.
const ENDS = {
  logged_out: ["You logged out in another place.", "Anda keluar dari tempat lain."],
  revoked: ["This session was ended from another one.", "Sesi ini diakhiri dari sesi lain."],
  password_changed: ["The password was changed in another place.", "Kata sandi diubah dari tempat lain."],
  too_many_sessions: ["You logged in in too many other places.", "Anda masuk di terlalu banyak tempat lain."],
  unregistered: ["The account was deleted.", "Akun telah dihapus."],
  expired: ["The session was not used for too long.", "Sesi terlalu lama tidak dipakai."],
  banned: ["You may not use this server any more.", "Anda tidak boleh lagi memakai server ini."],
  kicked: ["An administrator ended the session.", "Administrator mengakhiri sesi ini."],
};
const ENDED = ["You were logged out.", "Anda telah keluar."];

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
  throttled: ["Too many wrong passwords.", "Terlalu sering salah."],
  slow_down: ["Too fast for this server.", "Terlalu cepat untuk server ini."],
  busy: ["The server is busy.", "Server sibuk."],
  unavailable: ["The server is moving to another machine.", "Server sedang berpindah."],
  storage_failed: ["The server cannot store it now.", "Server sedang gagal menyimpan."],
  shutting_down: ["The server is stopping.", "Server sedang berhenti."],
  connection_limit: ["The server has too many connections.", "Server memiliki terlalu banyak koneksi."],
  inbox_full: ["This user has too much unread from you.", "Terlalu banyak pesan Anda yang belum dibaca pengguna ini."],
  session_not_found: ["That session has ended already.", "Sesi itu sudah berakhir."],
  realm_exists: ["That name is taken.", "Nama itu sudah dipakai."],
  realm_unreachable: ["No kabar server answers there.", "Tidak ada server kabar yang menjawab di sana."],
  realm_key_changed: ["The server there has another key than before.", "Server di sana memakai kunci yang lain."],
  realm_is_this_server: ["That is this server.", "Itu server ini sendiri."],
  invite_needed: ["This server asks for an invite code.", "Server ini meminta kode undangan."],
  invite_not_found: ["That invite code is not good.", "Kode undangan itu tidak berlaku."],
  banned: ["You may not use this server.", "Anda tidak boleh memakai server ini."],
  locked: ["This account is locked. Ask an administrator.", "Akun ini terkunci. Hubungi administrator."],
  cancelled: ["", ""],
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

// What a refused request means, for people: the sentence, and how long to wait if the server says so.
export function errorOf(reply) {
  const reason = reasonOf(reply);
  return reply.retry_after ? `${reason} ${say("againIn", duration(reply.retry_after))}.` : reason;
}

export function reasonOf(reply) {
  // How the command is written is of no use here.
  return ERRORS[reply.code]?.[PLACE] ?? reply.detail?.split("; usage:")[0] ?? reply.message ?? reply.code;
}

// What ended a session: an event with a reason, or the reply to the request that needed it. Null if there was none.
export function endOf({ code, reason, detail }) {
  if (!code && !reason) return null;
  const known = ENDS[reason] ?? (code === "no_session" ? ENDED : ERRORS[code]);
  return known?.[PLACE] ?? detail ?? ENDED[PLACE];
}

// Seconds, in the unit that says enough.
export function duration(seconds) {
  if (seconds < 120) return say("seconds", seconds);
  return seconds < 7200 ? say("minutes", Math.round(seconds / 60)) : say("hours", Math.round(seconds / 3600));
}

const CLOCK = new Intl.DateTimeFormat(language, { hour: "numeric", minute: "2-digit" });
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
