//! The rows of the errors of requests.

use crate::chat::CommandError;
use crate::limits::{BLOCKS_PER_USER, MAX_BANS, MAX_INVITES, MAX_MEMBERSHIPS, MAX_REALMS};
use crate::wire::errors::row::{ErrorSpec, bad_parameter, row};
use crate::wire::phrase::{Detail, Phrase, counted, ours, phrase};

const FORBIDDEN: Phrase = phrase("Tidak diizinkan", "not allowed", "tidak diizinkan");
const NOT_STORED: Phrase = phrase("Gagal disimpan", "not stored", "gagal disimpan");

fn limit(detail: impl Into<Detail>) -> ErrorSpec {
    row("limit_reached", phrase("Batas server tercapai", "limit reached", "batas tercapai"), detail)
}

/// The row of an error.
pub(in crate::wire) fn of(error: CommandError) -> ErrorSpec {
    use CommandError as E;
    match error {
        E::UserNotFound => row(
            "user_not_found",
            phrase("User tidak ditemukan", "no user has that name", "tidak ada pengguna dengan nama itu"),
            phrase("no user has that name", "", ""),
        ),
        E::UserOffline => row(
            "user_offline",
            phrase("User tidak ditemukan", "the user is offline", "pengguna itu sedang luring"),
            phrase(
                "the user is offline, and nothing was stored: send USER@REALM TEXT leaves a message (realms shows REALM)",
                "nothing was stored; send USER@REALM TEXT leaves a message (realms shows REALM)",
                "tidak ada yang disimpan; send PENGGUNA@REALM PESAN meninggalkan pesan (realms menampilkan REALM)",
            ),
        ),
        E::WrongPassword => {
            row("wrong_password", phrase("Password Salah", "wrong password", "kata sandi salah"), Detail::NONE)
        }
        E::PasswordTooShort => bad_parameter(ours(
            "PASSWORD: expected a longer one, as this server is configured",
            "SANDI: harus lebih panjang, sesuai aturan server ini",
        )),
        E::UserExists => row(
            "user_exists",
            phrase("User sudah ada", "the name is taken", "nama itu sudah terpakai"),
            phrase("the name is taken: choose another", "choose another", "pilih nama lain"),
        )
        .text("Username sudah terpakai"),
        E::NoSession => row(
            "no_session",
            phrase("Session tidak ditemukan", "you are not logged in", "Anda belum masuk"),
            phrase(
                "log in first: auth USER PASSWORD",
                "login USER PASSWORD; register USER PASSWORD makes an account",
                "login PENGGUNA SANDI; register PENGGUNA SANDI membuat akun",
            ),
        ),
        E::SessionNotFound => row(
            "session_not_found",
            phrase("Session tidak ditemukan", "session not found", "sesi tidak ditemukan"),
            phrase(
                "no open session of yours has that number: sessions lists them",
                "sessions lists yours",
                "sessions menampilkan sesi Anda",
            ),
        ),
        E::Forbidden => row(
            "forbidden",
            FORBIDDEN,
            ours("this server does not let you do that", "server ini tidak mengizinkan Anda melakukannya"),
        ),
        E::OtherAdministrator => row(
            "forbidden",
            FORBIDDEN,
            ours(
                "the user is an administrator: only the operator at the server's machine may (kabar admin)",
                "pengguna itu administrator: hanya operator di mesin server yang boleh (kabar admin)",
            ),
        ),
        E::Locked => row(
            "locked",
            phrase("Akun dikunci", "the account is locked", "akun ini dikunci"),
            phrase("an administrator has locked the account: ask one", "ask an administrator", "hubungi administrator"),
        ),
        E::Banned => row(
            "banned",
            phrase("Akun dicekal", "the account is banned", "akun ini dicekal"),
            phrase("an administrator has banned the account: ask one", "ask an administrator", "hubungi administrator"),
        ),
        E::OwnAddress => bad_parameter(ours(
            "TARGET: expected a network without your own address",
            "TARGET: harus jaringan yang tidak memuat alamat Anda sendiri",
        )),
        E::BanNotFound => row(
            "ban_not_found",
            phrase("Cekal tidak ditemukan", "ban not found", "cekal tidak ditemukan"),
            ours("bans lists who is banned", "bans menampilkan siapa yang dicekal"),
        ),
        E::BanLimit => limit(counted!(
            MAX_BANS,
            "there are {} bans: lift some, or ban larger networks",
            "sudah ada {} cekal: cabut beberapa, atau cekal jaringan yang lebih besar"
        )),
        E::InviteNeeded => row(
            "invite_needed",
            phrase("Perlu undangan", "an invite is needed", "perlu undangan"),
            ours(
                "register USER PASSWORD #CODE, with a code that an administrator gave",
                "register PENGGUNA SANDI #KODE, dengan kode dari administrator",
            ),
        ),
        E::InviteNotFound => row(
            "invite_not_found",
            phrase("Undangan tidak berlaku", "the invite is not valid", "undangan tidak berlaku"),
            ours("the code is wrong, used up, or over", "kodenya salah, sudah habis dipakai, atau kedaluwarsa"),
        ),
        E::InviteLimit => {
            limit(counted!(MAX_INVITES, "there are {} invites: remove some", "sudah ada {} undangan: hapus beberapa"))
        }
        E::NameOfAdministrator => row(
            "forbidden",
            FORBIDDEN,
            ours(
                "the name is an administrator's: the operator makes the account (kabar admin adduser)",
                "nama itu milik administrator: operator yang membuat akunnya (kabar admin adduser)",
            ),
        ),
        E::NotOwner => row(
            "forbidden",
            phrase("Hanya untuk pemilik grup", "only for the owner of the group", "hanya untuk pemilik grup"),
            phrase(
                "only the owner of the group may: members names the owner",
                "members names the owner",
                "members menampilkan pemiliknya",
            ),
        ),
        E::UnknownId => bad_parameter(ours(
            "ID: expected one that this server has given; after a restored backup ID@EPOCH tells from where to go on",
            "ID: harus yang pernah diberikan server ini; setelah cadangan dipulihkan, ID@EPOCH menunjukkan titik lanjutnya",
        )),
        E::Oneself => bad_parameter(ours(
            "USER: expected a name other than your own",
            "PENGGUNA: harus nama selain nama Anda sendiri",
        )),
        E::Blocked => row(
            "blocked",
            phrase("Pesan ditolak oleh penerima", "the message is refused", "pesan ditolak"),
            ours("this user does not want to hear from you", "pengguna itu tidak mau menerima pesan dari Anda"),
        ),
        E::GroupExists => row(
            "group_exists",
            phrase("Group sudah ada", "the name is taken", "nama itu sudah terpakai"),
            phrase("the name is taken: choose another", "choose another", "pilih nama lain"),
        )
        .draft("Nama grup sudah terpakai"),
        E::GroupNotFound => row(
            "group_not_found",
            phrase("Group tidak ditemukan", "no group has that name", "tidak ada grup dengan nama itu"),
            phrase("no group has that name", "", ""),
        )
        .draft("Nama grup tidak tersedia"),
        E::AlreadyMember => row(
            "already_member",
            phrase("User sudah dalam group", "you are already in the group", "Anda sudah menjadi anggota grup itu"),
            Detail::NONE,
        )
        .draft("Anda telah bergabung dalam grup"),
        E::NotMember => row(
            "not_member",
            phrase("Anda belum bergabung dalam grup", "you are not in the group", "Anda bukan anggota grup itu"),
            phrase(
                "join the group first: joingroup GROUP; from another realm nobody can",
                "joingroup GROUP joins it, which nobody can from another realm",
                "joingroup GRUP untuk bergabung; dari realm lain tidak bisa",
            ),
        ),
        E::UserNotMember => row(
            "not_member",
            phrase(
                "User belum bergabung dalam grup",
                "that user is not in the group",
                "pengguna itu bukan anggota grup",
            ),
            phrase(
                "that user is not in the group: members lists who is",
                "members lists who is",
                "members menampilkan anggotanya",
            ),
        ),
        E::RealmExists => row(
            "realm_exists",
            phrase("Realm sudah ada", "the realm is already there", "realm itu sudah ada"),
            phrase(
                "the name is taken, or that server has one here: realms lists them",
                "the name is taken, or that server has one here; realms lists them",
                "namanya sudah terpakai, atau server itu sudah punya nama di sini; lihat realms",
            ),
        ),
        E::RealmNotFound => row(
            "realm_not_found",
            phrase(
                "Realm tidak ditemukan",
                "no realm that this server knows has that name",
                "server ini tidak mengenal realm dengan nama itu",
            ),
            phrase(
                "no realm that this server knows has that name",
                "realms lists those it knows",
                "realms menampilkan yang dikenalnya",
            ),
        ),
        E::RealmUnreachable => row(
            "realm_unreachable",
            phrase("Realm tidak dapat dihubungi", "the realm cannot be reached", "realm itu tidak dapat dihubungi"),
            ours("no kabar server answered at HOST PORT in time", "tidak ada server kabar yang menjawab di HOST PORT"),
        ),
        E::RealmRefused => row(
            "realm_refused",
            phrase("Realm menolak", "the realm refused", "realm itu menolak"),
            ours(
                "the other server does not take it: its operator allows no such link, or the text is too long there",
                "server itu tidak menerimanya: operatornya tidak mengizinkan sambungan ini, atau pesannya terlalu panjang",
            ),
        ),
        E::RealmKeyChanged => row(
            "realm_key_changed",
            phrase("Kunci realm berubah", "the key of the realm has changed", "kunci realm itu berubah"),
            ours(
                "one of the two servers knows another key for the other: if it was changed on purpose, delrealm and addrealm",
                "salah satu server mengenal kunci lain untuk yang satunya: jika sengaja diganti, delrealm lalu addrealm",
            ),
        ),
        E::RealmIsThisServer => row(
            "realm_is_this_server",
            phrase(
                "Realm itu server ini sendiri",
                "the realm is this server itself",
                "realm itu adalah server ini sendiri",
            ),
            phrase(
                "HOST PORT is this very server: addrealm REALM gives it one more name",
                "addrealm REALM gives it one more name",
                "addrealm REALM memberinya satu nama lagi",
            ),
        ),
        E::LinkVersion => row(
            "unknown_version",
            phrase("Versi link tidak dikenal", "unknown version of links", "versi sambungan tidak dikenal"),
            ours(
                "VERSION: expected 1, the link protocol that this server speaks",
                "VERSI: harus 1, protokol sambungan server ini",
            ),
        ),
        E::InboxFull => row(
            "inbox_full",
            phrase(
                "Terlalu banyak pesan Anda yang belum dibaca",
                "too much of yours is unread in that inbox",
                "terlalu banyak pesan Anda yang belum dibaca di sana",
            ),
            phrase(
                "too much of yours is unread in that inbox: send it again once the recipient has read",
                "send it again once the recipient has read",
                "kirim lagi setelah penerimanya membaca",
            ),
        ),
        E::RealmQueueFull => row(
            "realm_queue_full",
            phrase("Antrean realm penuh", "too much waits for that realm", "antrean untuk realm itu penuh"),
            phrase(
                "too much waits for that realm: try again when its link is up",
                "try again when its link is up",
                "coba lagi setelah sambungannya pulih",
            ),
        ),
        // People are told the seconds.
        E::Throttled(_) => row(
            "throttled",
            phrase(
                "Terlalu sering salah, coba lagi nanti",
                "too many failures, try again later",
                "terlalu sering salah, coba lagi nanti",
            ),
            phrase("too many failures of this name from this address: retry_after tells the seconds to wait", "", ""),
        ),
        E::SlowDown(_) => row(
            "slow_down",
            phrase("Terlalu cepat, coba lagi nanti", "too fast, try again later", "terlalu cepat, coba lagi nanti"),
            phrase("more than one user or address may do: retry_after tells the seconds to wait", "", ""),
        ),
        E::Busy | E::CursorMoved => row(
            "busy",
            phrase("Server sedang sibuk, coba lagi", "the server is busy, try again", "server sedang sibuk, coba lagi"),
            phrase("too much at once: try again", "", ""),
        ),
        E::UserLimit => limit(ours("this server takes no more users", "server ini tidak menerima pengguna baru lagi")),
        E::GroupLimit => limit(ours("this server takes no more groups", "server ini tidak menerima grup baru lagi")),
        E::GroupQuota(most) => limit(counted!(
            most,
            "a user may own {} groups: delete one, or leave it to others",
            "seorang pengguna boleh memiliki {} grup: hapus satu, atau serahkan kepada anggota lain"
        )),
        E::MembershipLimit => limit(counted!(
            MAX_MEMBERSHIPS,
            "a user can be in {} groups: leave one",
            "seorang pengguna bisa menjadi anggota {} grup: keluarlah dari salah satunya"
        )),
        E::RealmLimit => limit(counted!(
            MAX_REALMS,
            "this server takes {} realms, some of them from administrators only",
            "server ini menerima paling banyak {} realm, sebagian hanya dari administrator"
        )),
        E::RealmQuota(most) => limit(counted!(
            most,
            "a user may have {} realms added: delrealm one",
            "seorang pengguna boleh menambahkan {} realm: hapus satu dengan delrealm"
        )),
        E::BlockLimit => limit(counted!(
            BLOCKS_PER_USER,
            "a user can block {} others: unblock one",
            "seorang pengguna bisa memblokir {} pengguna lain: bebaskan satu dengan unblock"
        )),
        E::MarkLimit => limit(ours(
            "a user can have no more read marks after the inbox cursor: ack moves it",
            "tanda baca Anda setelah posisi baca kotak masuk sudah terlalu banyak: ack memajukan posisi itu",
        )),
        E::TagReused => row(
            "tag_reused",
            phrase("Tag sudah dipakai", "the tag is used already", "tag itu sudah dipakai"),
            ours(
                "the tag stood on another request within a day: choose another",
                "tag itu ada pada permintaan lain dalam sehari ini: pilih yang lain",
            ),
        ),
        E::StorageFailed => row(
            "storage_failed",
            NOT_STORED,
            ours(
                "the disk failed, and nothing was changed: try again",
                "penyimpanan bermasalah, dan tidak ada yang berubah: coba lagi",
            ),
        ),
        E::DiskReserve => row(
            "storage_failed",
            NOT_STORED,
            ours(
                "the disk is nearly full: only deletions, log-ins and reading are possible",
                "penyimpanan hampir penuh: hanya bisa menghapus, masuk, dan membaca",
            ),
        ),
        E::UnknownOutcome => row(
            "unknown_outcome",
            phrase(
                "Tidak diketahui apakah tersimpan",
                "nobody knows whether it was stored",
                "tidak diketahui apakah tersimpan",
            ),
            ours(
                "the disk or the cluster failed half-way: repeat it with the same tag, or find out",
                "penyimpanan atau klaster bermasalah di tengah jalan: ulangi dengan tag yang sama, atau periksa",
            ),
        ),
        E::Unavailable => row(
            "unavailable",
            phrase("Server sedang berpindah", "the server is moving", "server sedang berpindah"),
            ours(
                "no node leads the cluster at the moment, and nothing was changed: try again",
                "saat ini tidak ada node yang memimpin klaster, dan tidak ada yang berubah: coba lagi",
            ),
        ),
    }
}
