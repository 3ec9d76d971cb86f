//! The two tables of refresh tokens.

pub(super) mod families {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "refresh_families")]
    pub struct Model {
        /// The login's public name.
        #[sea_orm(primary_key, auto_increment = false)]
        pub login: String,
        pub user_id: Uuid,
        /// What successors are derived with. Without a token it opens nothing.
        pub secret: String,
        pub device: String,
        pub address: String,
        /// Times are milliseconds since the Unix epoch.
        pub issued_at: i64,
        pub seen_at: i64,
        pub expires_at: i64,
        pub ended_at: Option<i64>,
        /// When a used token came back: somebody had a copy.
        pub reused_at: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(super) mod tokens {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "refresh_tokens")]
    pub struct Model {
        /// SHA-256 of the token, in base64url.
        #[sea_orm(primary_key, auto_increment = false)]
        pub hash: String,
        pub login: String,
        pub used_at: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
