//! The two tables of revocations.

pub(super) mod revoked_logins {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "revoked_logins")]
    pub struct Model {
        /// The slug of the strategy.
        #[sea_orm(primary_key, auto_increment = false)]
        pub scope: String,
        /// Part of the key: a user who revokes the name of somebody else's login writes another row, and spoils nothing.
        #[sea_orm(primary_key, auto_increment = false)]
        pub user_id: Uuid,
        /// The token's `jti`, or the public name of the session.
        #[sea_orm(primary_key, auto_increment = false)]
        pub login: String,
        /// When the login would have expired and the row may be deleted. Milliseconds since the Unix epoch.
        pub expires_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(super) mod generations {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "cut_offs")]
    pub struct Model {
        /// The slug of the strategy.
        #[sea_orm(primary_key, auto_increment = false)]
        pub scope: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub user_id: Uuid,
        /// Tokens of an earlier generation are revoked.
        pub generation: i64,
        /// When it was last raised. Milliseconds since the Unix epoch. Once the life of a token has passed since, the row
        /// revokes nothing more.
        pub raised_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
